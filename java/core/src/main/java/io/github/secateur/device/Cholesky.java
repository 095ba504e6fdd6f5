package io.github.secateur.device;

import java.util.ServiceLoader;

/**
 * Cholesky factorisation and inverse of symmetric positive definite matrices on the host, in
 * double. Matrices are [n, n], row-major. Calls may come from several threads at once; equal
 * matrices give equal bits.
 */
public interface Cholesky {
  /** Plain loops, n³/3 multiply-adds at the speed of one scalar unit; what tests compare with. */
  Cholesky PLAIN = new PlainCholesky();

  /** LAPACK where there is one, plain loops otherwise. */
  static Cholesky best() {
    return Best.CHOLESKY;
  }

  /**
   * A = L · Lᵀ in place.
   *
   * @param a of which the lower triangle is read; then holds L, with zeros above the diagonal
   * @return false when A is not positive definite; {@code a} then holds nothing of use
   */
  boolean factor(double[] a, int n);

  /**
   * (L · Lᵀ)⁻¹ in place, both triangles.
   *
   * @param l as {@link #factor} left it
   */
  void invert(double[] l, int n);

  /** The one of this process, found when first asked for. */
  final class Best {
    private static final Cholesky CHOLESKY =
        ServiceLoader.load(Cholesky.class).findFirst().orElse(PLAIN);

    private Best() {}
  }
}
