package io.github.secateur.solver;

import java.util.Arrays;

/** Exact selection on the host: of equal costs the higher index goes, so the lower is kept. */
final class Lowest {
  private Lowest() {}

  /** Marks the {@code count} lowest of some costs, none of them NaN. */
  static boolean[] of(double[] costs, int count) {
    boolean[] lowest = new boolean[costs.length];
    if (count == 0) {
      return lowest;
    }
    double[] sorted = costs.clone();
    Arrays.sort(sorted);
    double threshold = sorted[count - 1];
    int below = 0;
    while (sorted[below] < threshold) {
      below++;
    }
    int ties = count - below;
    for (int i = costs.length - 1; i >= 0; i--) {
      if (costs[i] < threshold) {
        lowest[i] = true;
      } else if (costs[i] == threshold && ties > 0) {
        lowest[i] = true;
        ties--;
      }
    }
    return lowest;
  }
}
