package io.github.secateur.prune;

import java.util.Arrays;

/**
 * Shares a whole number out in proportion to rates, within bounds: x_l = clamp(t · rate_l, low_l,
 * high_l) with the one t for which they sum to the total. What a bound takes from one, the others
 * get in proportion to their rates; this is RigL's loop over layers that stay dense (Evci et al.,
 * arXiv 1911.11134, appendix), for bounds on both sides.
 *
 * <p>Rounding by largest remainders: each x_l is rounded down, and what is missing from the total
 * goes, one each, to the largest fractions, of equal ones to the earlier.
 */
final class WaterFilling {
  private WaterFilling() {}

  /**
   * Whole numbers that sum to the total exactly.
   *
   * @param rate 0 or more each
   * @param low 0 or more each
   * @param high at least {@code low}
   * @param total between the sums of {@code low} and {@code high}; where a rate is 0, its number
   *     leaves {@code low} only if all others are at {@code high}
   */
  static long[] fill(double[] rate, long[] low, long[] high, long total) {
    double[] exact = new double[rate.length];
    double t = level(rate, low, high, total);
    long[] whole = new long[rate.length];
    long missing = total;
    for (int i = 0; i < rate.length; i++) {
      exact[i] = at(t, rate[i], low[i], high[i]);
      whole[i] = Math.clamp((long) exact[i], low[i], high[i]);
      missing -= whole[i];
    }
    while (missing != 0) {
      int sign = missing > 0 ? 1 : -1;
      int best = -1;
      for (int i = 0; i < rate.length; i++) {
        boolean room = sign > 0 ? whole[i] < high[i] : whole[i] > low[i];
        if (room && (best < 0 || sign * (exact[i] - whole[i] - exact[best] + whole[best]) > 0)) {
          best = i;
        }
      }
      if (best < 0) {
        throw new IllegalArgumentException(total + " does not lie between the sums of the bounds");
      }
      whole[best] += sign;
      missing -= sign;
    }
    return whole;
  }

  /** The t for which the numbers, not rounded, sum to the total. */
  private static double level(double[] rate, long[] low, long[] high, long total) {
    double[] breaks = new double[2 * rate.length];
    for (int i = 0; i < rate.length; i++) {
      breaks[2 * i] = rate[i] > 0 ? low[i] / rate[i] : 0;
      breaks[2 * i + 1] = rate[i] > 0 ? high[i] / rate[i] : 0;
    }
    Arrays.sort(breaks);
    double from = 0;
    for (double to : breaks) {
      if (sum(to, rate, low, high) >= total) {
        return between(from, to, rate, low, high, total);
      }
      from = to;
    }
    return from;
  }

  private static double sum(double t, double[] rate, long[] low, long[] high) {
    double sum = 0;
    for (int i = 0; i < rate.length; i++) {
      sum += at(t, rate[i], low[i], high[i]);
    }
    return sum;
  }

  private static double at(double t, double rate, long low, long high) {
    return Math.clamp(t * rate, (double) low, (double) high);
  }

  /** On a stretch without breaks the sum is linear in t. */
  private static double between(
      double from, double to, double[] rate, long[] low, long[] high, long total) {
    double middle = (from + to) / 2;
    double fixed = 0;
    double slope = 0;
    for (int i = 0; i < rate.length; i++) {
      double x = middle * rate[i];
      if (x > low[i] && x < high[i]) {
        slope += rate[i];
      } else {
        fixed += Math.clamp(x, (double) low[i], (double) high[i]);
      }
    }
    return slope == 0 ? to : Math.clamp((total - fixed) / slope, from, to);
  }
}
