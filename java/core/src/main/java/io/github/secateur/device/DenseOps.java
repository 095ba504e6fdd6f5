package io.github.secateur.device;

/** Dense matrix products, F32. */
public interface DenseOps {
  /**
   * C = alpha · op(A) · op(B) + beta · C. All are rank-2, row-major; op transposes when asked; with
   * beta = 0, C is not read.
   *
   * @param transposeA whether A is stored [k, m] rather than [m, k]
   * @param transposeB whether B is stored [n, k] rather than [k, n]
   * @throws IllegalArgumentException when the shapes do not fit, naming them
   */
  void gemm(Gemm gemm, DeviceTensor a, DeviceTensor b, DeviceTensor c);

  /** The scalars of a product. */
  record Gemm(boolean transposeA, boolean transposeB, float alpha, float beta) {
    /** A · B with optional transposition. */
    public static Gemm of(boolean transposeA, boolean transposeB) {
      return new Gemm(transposeA, transposeB, 1f, 0f);
    }
  }
}
