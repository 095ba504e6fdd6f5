package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Places starts .. ends − 1 along axes of x (ONNX Slice): starts, ends and axes are attributes
 * before operator set 10, then constant inputs. Negative bounds count from the end; bounds beyond
 * it stand for the end. Steps must be 1.
 */
public final class Slice extends BoxCopy {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Slice");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  Box box(Node node, Shape x, Constants constants) {
    List<Long> starts = constants.longs(1, "starts");
    List<Long> ends = constants.longs(2, "ends");
    List<Long> axes = constants.longs(3, "axes");
    List<Long> steps = constants.longs(4, "steps");
    if (starts == null || ends == null || starts.size() != ends.size()) {
      throw Check.misfit(node, "needs as many starts as ends, got %s and %s", starts, ends);
    }
    if (axes == null) {
      axes = LongStream.range(0, starts.size()).boxed().toList();
    }
    if (axes.size() != starts.size()) {
      throw Check.misfit(node, "axes %s do not match starts %s", axes, starts);
    }
    if (steps != null && steps.stream().anyMatch(s -> s != 1)) {
      throw Check.misfit(node, "steps %s are not executed; only steps of 1 are", steps);
    }
    long[] size = x.dims();
    long[] from = new long[size.length];
    for (int i = 0; i < axes.size(); i++) {
      int axis = Check.axis(node, axes.get(i), x.rank(), x.rank() - 1);
      from[axis] = bound(starts.get(i), x.dim(axis));
      size[axis] = bound(ends.get(i), x.dim(axis)) - from[axis];
    }
    return new Box(nonnegative(size), size, from, new long[size.length], 0);
  }

  private static Shape nonnegative(long[] size) {
    return Shape.of(LongStream.of(size).map(s -> Math.max(s, 0)).toArray());
  }

  private static long bound(long value, long size) {
    return Math.clamp(value < 0 ? value + size : value, 0, size);
  }
}
