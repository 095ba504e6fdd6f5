package io.github.secateur.sparse;

import java.util.Arrays;

/**
 * Repeated times of one thing, microseconds.
 *
 * @param median the figure to quote
 * @param low lower quartile
 * @param high upper quartile
 * @param repeats number of samples
 */
public record Spread(double median, double low, double high, int repeats) {
  /** Quartiles of samples, linearly interpolated between ranks. */
  static Spread of(double[] samples) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    return new Spread(
        quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), sorted.length);
  }

  /** Half the distance between the quartiles: what a median may differ by for no reason. */
  public double noise() {
    return (high - low) / 2;
  }

  private static double quantile(double[] sorted, double q) {
    double rank = q * (sorted.length - 1);
    int below = (int) rank;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
  }
}
