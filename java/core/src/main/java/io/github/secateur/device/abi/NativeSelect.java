package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.NanScoreException;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.PruneOps.Selection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Marshals a selection: segment table (host memory), counts and results (exchange block) of
 * secateur_select. It waits once, for the results.
 */
final class NativeSelect {
  private static final String OP = "select";
  private static final int NAN_SCORE = 3;

  /** Bytes of secateur_segment: scores, length, previous, mask, group, reserved. */
  private static final long SEGMENT = 40;

  /**
   * Bytes of secateur_select_result: pruned, threshold, path, tied, bytes_read, nan_segment,
   * reserved, nan_index.
   */
  private static final long RESULT = 48;

  private static final long NAN_SEGMENT = 32;
  private static final long NAN_INDEX = 40;

  private final NativeDevice device;
  private final Arena arena;
  private MemorySegment table; // secateur_segment [segments]
  private MemorySegment exchange; // k int64 [groups], then secateur_select_result [groups]

  NativeSelect(NativeDevice device, Arena arena) {
    this.device = device;
    this.arena = arena;
    this.table = arena.allocate(1024, 64);
    this.exchange = arena.allocate(1024, 64);
  }

  List<Selection> select(Key key, List<Segment> segments, long[] k) {
    table = reserve(table, SEGMENT * segments.size());
    long[] lengths = new long[k.length];
    int dtype = segments.isEmpty() ? 0 : NativePrune.code(OP, segments.getFirst().scores());
    for (int i = 0; i < segments.size(); i++) {
      write(i, segments.get(i), segments.getFirst().scores(), lengths);
    }
    long results = 8L * k.length;
    exchange = reserve(exchange, results + RESULT * k.length);
    for (int g = 0; g < k.length; g++) {
      if (k[g] < 0 || k[g] > lengths[g]) {
        throw new IllegalArgumentException(
            "select: cannot prune %d of the %d elements of group %d; k must be 0 to that number"
                .formatted(k[g], lengths[g], g));
      }
      exchange.set(LONG, 8L * g, k[g]);
      exchange.set(INT, results + RESULT * g + NAN_SEGMENT, -1);
    }
    int status = call(dtype, key, segments.size(), k.length);
    if (status != NAN_SCORE) {
      Abi.check(OP, status);
    }
    MemorySegment written = exchange.asSlice(results, RESULT * k.length);
    device.fromExchange(results, written);
    throwNanScore(written, k.length);
    List<Selection> selections = new ArrayList<>(k.length);
    for (int g = 0; g < k.length; g++) {
      selections.add(read(written, RESULT * g));
    }
    return selections;
  }

  private void write(int position, Segment segment, DeviceTensor first, long[] lengths) {
    int group = segment.group();
    if (group < 0 || group >= lengths.length) {
      throw new IllegalArgumentException(
          "select: tensor %d is of group %d, but k has %d entries"
              .formatted(position, group, lengths.length));
    }
    Shapes.covers(OP, segment.mask(), segment.scores());
    Shapes.covers(OP, segment.previous(), segment.scores());
    long offset = SEGMENT * position;
    table.set(LONG, offset, device.address(OP, segment.scores(), first.dtype()));
    table.set(LONG, offset + 8, segment.scores().size());
    table.set(LONG, offset + 16, device.mask(OP, segment.previous()));
    table.set(LONG, offset + 24, device.mask(OP, segment.mask()));
    table.set(INT, offset + 32, group);
    table.set(INT, offset + 36, 0);
    lengths[group] += segment.scores().size();
  }

  private int call(int dtype, Key key, int segments, int groups) {
    long size = device.sizes().address();
    long block = device.exchange(8L * groups + RESULT * groups);
    device.toExchange(exchange.asSlice(0, 8L * groups + RESULT * groups));
    int status = call(dtype, key, segments, groups, block, 0, size);
    if (status != 0) {
      return status;
    }
    long bytes = device.sizes().get(LONG, 0);
    long workspace = device.workspace(bytes);
    device.sizes().set(LONG, 0, bytes); // making a workspace may have overwritten it
    return call(dtype, key, segments, groups, block, workspace, size);
  }

  private int call(
      int dtype, Key key, int segments, int groups, long block, long workspace, long size) {
    return AbiPrune.select(
        device.handle(),
        device.stream(),
        dtype,
        key.ordinal(),
        segments,
        table.address(),
        groups,
        block,
        block + 8L * groups,
        workspace,
        size);
  }

  private static Selection read(MemorySegment results, long offset) {
    return new Selection(
        results.get(LONG, offset),
        results.get(FLOAT, offset + 8),
        results.get(LONG, offset + 16),
        results.get(INT, offset + 12),
        results.get(LONG, offset + 24));
  }

  /** The first NaN in segment order, over all groups. */
  private static void throwNanScore(MemorySegment results, int groups) {
    int first = Integer.MAX_VALUE;
    long index = -1;
    for (int g = 0; g < groups; g++) {
      int segment = results.get(INT, RESULT * g + NAN_SEGMENT);
      if (segment >= 0 && segment < first) {
        first = segment;
        index = results.get(LONG, RESULT * g + NAN_INDEX);
      }
    }
    if (first != Integer.MAX_VALUE) {
      throw new NanScoreException(first, index);
    }
  }

  private MemorySegment reserve(MemorySegment memory, long bytes) {
    return bytes <= memory.byteSize()
        ? memory
        : arena.allocate(Math.max(bytes, 2 * memory.byteSize()), 64);
  }
}
