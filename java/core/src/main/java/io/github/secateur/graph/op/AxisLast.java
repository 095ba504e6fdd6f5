package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Op;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings one axis of a tensor to the end for operations that work along the last axis.
 *
 * @param stored [outer, axis, inner]
 * @param moved [outer, inner, axis]
 */
record AxisLast(Shape stored, Shape moved) {
  /** Permutation between the two; its own inverse. */
  static final int[] SWAP = {0, 2, 1};

  private static final long ALIGNMENT = 64;

  /** The two layouts of a shape. */
  static AxisLast of(Shape x, int axis) {
    long outer = 1;
    long inner = 1;
    for (int d = 0; d < x.rank(); d++) {
      outer *= d < axis ? x.dim(d) : 1;
      inner *= d > axis ? x.dim(d) : 1;
    }
    return new AxisLast(Shape.of(outer, x.dim(axis), inner), Shape.of(outer, inner, x.dim(axis)));
  }

  /** F32 scratch tensors of the moved layout. */
  List<DeviceTensor> scratch(Op.Run run, int count) {
    long bytes = (moved.size() * 4 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Buffer buffer = run.scratch(bytes * count);
    List<DeviceTensor> tensors = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tensors.add(new DeviceTensor(buffer, bytes * i, DType.F32, moved));
    }
    return tensors;
  }
}
