package io.github.secateur.solver;

import io.github.secateur.device.Cholesky;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * The best weights under a mask: row by row the minimum of (ŵ − w) H (ŵ − w)ᵀ over the ŵ that are 0
 * where the mask prunes,
 *
 * <pre>  H_KK (ŵ_K − w_K) = H_KP w_P</pre>
 *
 * over the kept columns K and the pruned ones P: |K|³ / 3 multiply-adds a row.
 *
 * @param problem the layer
 * @param h damped Hessian [inputs, inputs]
 */
record Optimum(LayerProblem problem, double[] h) {
  /**
   * Ŵ.
   *
   * @param kept the mask [outputs, inputs]
   */
  double[] weights(boolean[] kept) {
    double[] w = problem.doubles();
    IntStream.range(0, problem.outputs()).parallel().forEach(row -> adapt(w, kept, row));
    return w;
  }

  private void adapt(double[] w, boolean[] kept, int row) {
    int base = row * problem.inputs();
    int[] lost = live(j -> !kept[base + j] && w[base + j] != 0);
    int[] stay = live(j -> kept[base + j]);
    if (lost.length == 0 || stay.length == 0) {
      return;
    }
    double[] coupling = part(stay, lost);
    double[] change = new double[stay.length];
    for (int i = 0; i < stay.length; i++) {
      for (int j = 0; j < lost.length; j++) {
        change[i] += coupling[i * lost.length + j] * w[base + lost[j]];
      }
    }
    solve(factor(stay), change);
    for (int i = 0; i < stay.length; i++) {
      w[base + stay[i]] += change[i];
    }
  }

  /** L with L Lᵀ = H over these columns. */
  double[] factor(int[] columns) {
    double[] factor = part(columns, columns);
    if (!Cholesky.best().factor(factor, columns.length)) {
      throw new IllegalArgumentException(
          "a part of the Hessian is not positive definite; use a larger damping");
    }
    return factor;
  }

  private int[] live(IntPredicate which) {
    return IntStream.range(0, problem.inputs())
        .filter(j -> !problem.hessian().dead(j))
        .filter(which)
        .toArray();
  }

  private double[] part(int[] rows, int[] columns) {
    double[] part = new double[rows.length * columns.length];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < columns.length; j++) {
        part[i * columns.length + j] = h[rows[i] * problem.inputs() + columns[j]];
      }
    }
    return part;
  }

  /** L Lᵀ x = b, in place of b. */
  private static void solve(double[] l, double[] b) {
    int n = b.length;
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++) {
        b[i] -= l[i * n + k] * b[k];
      }
      b[i] /= l[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      b[i] /= l[i * n + i];
      for (int k = 0; k < i; k++) {
        b[k] -= l[i * n + k] * b[i];
      }
    }
  }
}
