package io.github.secateur.solver;

/**
 * The inverse of a symmetric matrix from which variables are removed one by one (Frantar &amp;
 * Alistarh, arXiv 2208.11580, lemma 1): without variable p it is, over the others,
 *
 * <pre>  A − A[:,p] A[p,:] / A[p,p]</pre>
 *
 * n² multiply-adds each, n the variables left: removed ones are dropped from memory now and then.
 */
final class ShrinkingInverse {
  private final double[] a;
  private final double[] pivot;
  private int width; // of the rows in a
  private int left;
  private final int[] variable; // by place; -1 removed
  private final int[] place; // by variable; -1 removed

  /**
   * The inverse over some variables.
   *
   * @param inverse [n, n], copied
   * @param variables names for them, ascending; {@code inverse} is indexed by these
   * @param stride row length of {@code inverse}
   */
  ShrinkingInverse(double[] inverse, int[] variables, int stride) {
    this.width = variables.length;
    this.left = width;
    this.variable = variables.clone();
    this.place = new int[stride];
    this.a = new double[width * width];
    this.pivot = new double[width];
    java.util.Arrays.fill(place, -1);
    for (int i = 0; i < width; i++) {
      place[variables[i]] = i;
      for (int j = 0; j < width; j++) {
        a[i * width + j] = inverse[variables[i] * stride + variables[j]];
      }
    }
  }

  /** Number of variables left. */
  int left() {
    return left;
  }

  /** Number of places, those of removed variables included. */
  int places() {
    return width;
  }

  /** The variable at a place, -1 where it was removed. Ascending. */
  int variableAt(int at) {
    return variable[at];
  }

  /** Place of a variable, -1 when it was removed. */
  int placeOf(int v) {
    return place[v];
  }

  /** Element at two places. */
  double get(int row, int column) {
    return a[row * width + column];
  }

  /**
   * Removes the variable at a place, and from each row of weights by places, w −= w[p] / A[p,p] ·
   * A[p,:], so that w[p] = 0 and the others make up for it.
   */
  void remove(int p, double[][] rows) {
    System.arraycopy(a, p * width, pivot, 0, width);
    double diagonal = pivot[p];
    for (double[] w : rows) {
      axpy(-w[p] / diagonal, pivot, w, 0, width);
      w[p] = 0;
    }
    for (int i = 0; i < width; i++) {
      if (variable[i] >= 0 && i != p) {
        axpy(-pivot[i] / diagonal, pivot, a, i * width, width);
      }
    }
    place[variable[p]] = -1;
    variable[p] = -1;
    left--;
    if (left < width - width / 4) {
      compact(rows);
    }
  }

  private static void axpy(double factor, double[] x, double[] y, int offset, int count) {
    for (int j = 0; j < count; j++) {
      y[offset + j] += factor * x[j];
    }
  }

  private void compact(double[][] rows) {
    int[] old = new int[left];
    int to = 0;
    for (int i = 0; i < width; i++) {
      if (variable[i] >= 0) {
        old[to] = i;
        variable[to] = variable[i];
        place[variable[to]] = to;
        to++;
      }
    }
    for (int i = 0; i < left; i++) {
      for (int j = 0; j < left; j++) {
        a[i * left + j] = a[old[i] * width + old[j]];
      }
    }
    for (double[] w : rows) {
      for (int i = 0; i < left; i++) {
        w[i] = w[old[i]];
      }
    }
    width = left;
  }
}
