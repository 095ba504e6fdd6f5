package io.github.secateur.device.abi;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;

/** Checks of shapes; each failure names the shapes and the cure. */
public final class Shapes {
  private Shapes() {}

  public static void same(String operation, DeviceTensor a, DeviceTensor b) {
    if (!a.shape().equals(b.shape())) {
      throw new IllegalArgumentException(
          "%s: shapes %s and %s differ; both must be equal (view one as the other)"
              .formatted(operation, a.shape(), b.shape()));
    }
  }

  /** A mask may cover a tensor under another shape of the same size. */
  public static void covers(String operation, DeviceMask mask, DeviceTensor tensor) {
    if (mask != null && mask.size() != tensor.size()) {
      throw new IllegalArgumentException(
          "%s: a mask over %s does not cover a tensor of shape %s; make it for that shape"
              .formatted(operation, mask.shape(), tensor.shape()));
    }
  }

  public static void rank(String operation, Shape shape, int rank) {
    if (shape.rank() != rank) {
      throw new IllegalArgumentException(
          "%s: shape %s must have rank %d; view it so".formatted(operation, shape, rank));
    }
  }

  public static void vector(String operation, DeviceTensor tensor, long size, String of) {
    if (tensor.size() != size) {
      throw new IllegalArgumentException(
          "%s: shape %s does not hold %d elements, one for each %s"
              .formatted(operation, tensor.shape(), size, of));
    }
  }

  public static void scalar(String operation, DeviceTensor tensor) {
    if (tensor.size() != 1) {
      throw new IllegalArgumentException(
          "%s: a tensor of one element is wanted, not shape %s"
              .formatted(operation, tensor.shape()));
    }
  }

  /** Elements before the last axis: the rows of a matrix view. */
  public static long rows(String operation, Shape shape) {
    if (shape.rank() == 0) {
      throw new IllegalArgumentException(
          operation + ": a scalar has no last axis; view it as shape [1]");
    }
    long rows = 1;
    for (int d = 0; d < shape.rank() - 1; d++) {
      rows *= shape.dim(d);
    }
    return rows;
  }
}
