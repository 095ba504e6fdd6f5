package io.github.secateur.bench;

import io.github.secateur.tensor.Tensor;

/** What of a weight matrix is not ±0. */
final class Nonzeros {
  private Nonzeros() {}

  /** Number of nonzeros. */
  static long count(Tensor weight) {
    long count = 0;
    for (long i = 0; i < weight.size(); i++) {
      count += weight.getFloat(i) != 0 ? 1 : 0;
    }
    return count;
  }

  /**
   * Number of weights in the blocks of rows x cols that hold a nonzero, ragged ones counted whole.
   */
  static long inBlocks(Tensor weight, int rows, int cols) {
    long out = weight.shape().dim(0);
    long in = weight.shape().dim(1);
    int across = (int) ((in + cols - 1) / cols);
    boolean[] used = new boolean[across];
    long blocks = 0;
    for (long r = 0; r < out; r++) {
      for (long c = 0; c < in; c++) {
        if (weight.getFloat(r * in + c) != 0 && !used[(int) (c / cols)]) {
          used[(int) (c / cols)] = true;
          blocks++;
        }
      }
      if ((r + 1) % rows == 0) {
        used = new boolean[across];
      }
    }
    return blocks * rows * cols;
  }

  /** The most nonzeros in m consecutive inputs of an output, groups beginning at multiples of m. */
  static int mostInGroups(Tensor weight, int m) {
    long in = weight.shape().dim(1);
    int most = 0;
    for (long r = 0; r < weight.shape().dim(0); r++) {
      for (long g = 0; g < in; g += m) {
        int count = 0;
        for (long c = g; c < Math.min(in, g + m); c++) {
          count += weight.getFloat(r * in + c) != 0 ? 1 : 0;
        }
        most = Math.max(most, count);
      }
    }
    return most;
  }
}
