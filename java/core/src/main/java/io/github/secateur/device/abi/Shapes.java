package io.github.secateur.device.abi;

import io.github.secateur.device.DenseOps.Gemm;
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

  /** Extents of C [m, n] = op(A) [m, k] · op(B) [k, n]. */
  public record Product(long m, long n, long k) {
    @Override
    public String toString() {
      return "[%d, %d] = [%d, %d] x [%d, %d]".formatted(m, n, m, k, k, n);
    }
  }

  /** The extents of a dense product whose shapes fit. */
  public static Product product(Gemm gemm, DeviceTensor a, DeviceTensor b, DeviceTensor c) {
    rank("gemm: A", a.shape(), 2);
    rank("gemm: B", b.shape(), 2);
    rank("gemm: C", c.shape(), 2);
    long m = a.shape().dim(gemm.transposeA() ? 1 : 0);
    long k = a.shape().dim(gemm.transposeA() ? 0 : 1);
    long n = b.shape().dim(gemm.transposeB() ? 0 : 1);
    long kb = b.shape().dim(gemm.transposeB() ? 1 : 0);
    if (k != kb || c.shape().dim(0) != m || c.shape().dim(1) != n) {
      throw new IllegalArgumentException(
          "gemm: A %s%s times B %s%s does not give C %s; the inner dimensions must agree and C be [%d, %d]"
              .formatted(
                  a.shape(),
                  gemm.transposeA() ? " transposed" : "",
                  b.shape(),
                  gemm.transposeB() ? " transposed" : "",
                  c.shape(),
                  m,
                  n));
    }
    return new Product(m, n, k);
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
