package io.github.secateur.device;

import java.util.Arrays;

/**
 * Cholesky by rows: L[i,j] = (A[i,j] − Σ_{k&lt;j} L[i,k] L[j,k]) / L[j,j]. The inverse is Mᵀ M with
 * M = L⁻¹ by forward substitution.
 */
final class PlainCholesky implements Cholesky {
  @Override
  public boolean factor(double[] a, int n) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        a[i * n + j] = (a[i * n + j] - dot(a, i * n, j * n, j)) / a[j * n + j];
      }
      double pivot = a[i * n + i] - dot(a, i * n, i * n, i);
      if (!(pivot > 0)) {
        return false;
      }
      a[i * n + i] = Math.sqrt(pivot);
      Arrays.fill(a, i * n + i + 1, i * n + n, 0);
    }
    return true;
  }

  @Override
  public void invert(double[] l, int n) {
    // Column j of M, kept as row j of its transpose so that inner loops run along rows.
    double[] columns = new double[n * n];
    for (int j = 0; j < n; j++) {
      columns[j * n + j] = 1 / l[j * n + j];
      for (int i = j + 1; i < n; i++) {
        double sum = 0;
        for (int k = j; k < i; k++) {
          sum += l[i * n + k] * columns[j * n + k];
        }
        columns[j * n + i] = -sum / l[i * n + i];
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        for (int k = i; k < n; k++) {
          sum += columns[i * n + k] * columns[j * n + k];
        }
        l[i * n + j] = sum;
        l[j * n + i] = sum;
      }
    }
  }

  private static double dot(double[] a, int from, int other, int count) {
    double sum = 0;
    for (int k = 0; k < count; k++) {
      sum += a[from + k] * a[other + k];
    }
    return sum;
  }
}
