package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.FLOAT;
import static io.github.secateur.device.host.Abi.INT;
import static io.github.secateur.device.host.Abi.LONG;

import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.NanScoreException;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.PruneOps.Selection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Marshals a selection: segment table, counts and results of secateur_select. */
final class HostSelect {
  private static final String OP = "select";
  private static final int F32 = 0;
  private static final int NAN_SCORE = 3;

  /** Bytes of secateur_segment: scores, length, previous, mask, group, reserved. */
  private static final long SEGMENT = 40;

  /**
   * Bytes of secateur_select_result: pruned, threshold, path, tied, bytes_read, nan_segment,
   * reserved, nan_index.
   */
  private static final long RESULT = 48;

  private final HostDevice device;
  private final Arena arena;
  private MemorySegment table;

  HostSelect(HostDevice device, Arena arena) {
    this.device = device;
    this.arena = arena;
    this.table = arena.allocate(1024, 64);
  }

  List<Selection> select(Key key, List<Segment> segments, long[] k) {
    long counts = SEGMENT * segments.size();
    long results = counts + 8L * k.length;
    reserve(results + RESULT * k.length);
    long[] lengths = new long[k.length];
    for (int i = 0; i < segments.size(); i++) {
      write(SEGMENT * i, i, segments.get(i), lengths);
    }
    for (int g = 0; g < k.length; g++) {
      if (k[g] < 0 || k[g] > lengths[g]) {
        throw new IllegalArgumentException(
            "select: cannot prune %d of the %d elements of group %d; k must be 0 to that number"
                .formatted(k[g], lengths[g], g));
      }
      table.set(LONG, counts + 8L * g, k[g]);
      table.set(INT, results + RESULT * g + 32, -1);
    }
    int status = call(key, segments.size(), k.length);
    if (status == NAN_SCORE) {
      throw nanScore(results, k.length);
    }
    Abi.check(OP, status);
    List<Selection> selections = new ArrayList<>(k.length);
    for (int g = 0; g < k.length; g++) {
      selections.add(read(results + RESULT * g));
    }
    return selections;
  }

  private void write(long offset, int position, Segment segment, long[] lengths) {
    int group = segment.group();
    if (group < 0 || group >= lengths.length) {
      throw new IllegalArgumentException(
          "select: tensor %d is of group %d, but k has %d entries"
              .formatted(position, group, lengths.length));
    }
    Shapes.covers(OP, segment.mask(), segment.scores());
    Shapes.covers(OP, segment.previous(), segment.scores());
    table.set(LONG, offset, device.f32(OP, segment.scores()));
    table.set(LONG, offset + 8, segment.scores().size());
    table.set(LONG, offset + 16, device.mask(OP, segment.previous()));
    table.set(LONG, offset + 24, device.mask(OP, segment.mask()));
    table.set(INT, offset + 32, group);
    table.set(INT, offset + 36, 0);
    lengths[group] += segment.scores().size();
  }

  private int call(Key key, int segments, int groups) {
    long size = device.results().address();
    int status = call(key, segments, groups, 0, size);
    if (status != 0) {
      return status;
    }
    long bytes = device.results().get(LONG, 0);
    long workspace = device.workspace(bytes);
    device.results().set(LONG, 0, bytes); // making a workspace may have overwritten it
    return call(key, segments, groups, workspace, size);
  }

  private int call(Key key, int segments, int groups, long workspace, long size) {
    long counts = table.address() + SEGMENT * segments;
    return AbiPrune.select(
        device.handle(),
        F32,
        key.ordinal(),
        segments,
        table.address(),
        groups,
        counts,
        counts + 8L * groups,
        workspace,
        size);
  }

  private Selection read(long offset) {
    return new Selection(
        table.get(LONG, offset),
        table.get(FLOAT, offset + 8),
        table.get(LONG, offset + 16),
        table.get(INT, offset + 12),
        table.get(LONG, offset + 24));
  }

  /** The first NaN in segment order, over all groups. */
  private NanScoreException nanScore(long results, int groups) {
    int first = Integer.MAX_VALUE;
    long index = -1;
    for (int g = 0; g < groups; g++) {
      int segment = table.get(INT, results + RESULT * g + 32);
      if (segment >= 0 && segment < first) {
        first = segment;
        index = table.get(LONG, results + RESULT * g + 40);
      }
    }
    return new NanScoreException(first, index);
  }

  private void reserve(long bytes) {
    if (bytes > table.byteSize()) {
      table = arena.allocate(Math.max(bytes, 2 * table.byteSize()), 64);
    }
  }
}
