package io.github.secateur.report;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Histograms of weights before and after pruning. */
public final class Histograms {
  /** Bins where nothing else is asked for: odd, so that 0 lies in the middle of a bin. */
  public static final int BINS = 61;

  private Histograms() {}

  /**
   * Counts weights in bins of equal width over [−m, m], m being the largest magnitude of either
   * tensor (1 where all are 0). Weights that the mask prunes are counted apart; a kept weight of 0
   * is counted like any other.
   *
   * @param parameter name to show
   * @param before F32 weights of the dense network
   * @param after F32 weights of the pruned network, of the same shape
   * @param mask over {@code after}; null keeps all
   * @param bins number of bins, 1 or more
   * @throws IllegalArgumentException if shapes differ or a weight is NaN or infinite
   */
  public static WeightHistogram of(
      String parameter, Tensor before, Tensor after, Mask mask, int bins) {
    if (!before.shape().equals(after.shape())
        || (mask != null && !mask.shape().equals(after.shape()))) {
      throw new IllegalArgumentException(
          "histogram of %s: shape %s before, %s after%s; wanted equal shapes"
              .formatted(
                  parameter,
                  before.shape(),
                  after.shape(),
                  mask == null ? "" : ", mask over " + mask.shape()));
    }
    double limit = Math.max(magnitude(parameter, before), magnitude(parameter, after));
    limit = limit == 0 ? 1 : limit;
    long[] countsAfter = count(after, mask, limit, bins);
    return new WeightHistogram(
        parameter,
        edges(limit, bins),
        list(count(before, null, limit, bins)),
        list(countsAfter),
        mask == null ? 0 : mask.prunedCount());
  }

  private static double magnitude(String parameter, Tensor weights) {
    double max = 0;
    for (long i = 0; i < weights.size(); i++) {
      float w = weights.getFloat(i);
      if (!Float.isFinite(w)) {
        throw new IllegalArgumentException(
            "histogram of %s: weight %d is %s; wanted a finite number".formatted(parameter, i, w));
      }
      max = Math.max(max, Math.abs(w));
    }
    return max;
  }

  private static long[] count(Tensor weights, Mask mask, double limit, int bins) {
    long[] counts = new long[bins];
    for (long i = 0; i < weights.size(); i++) {
      if (mask == null || mask.kept(i)) {
        int bin = (int) ((weights.getFloat(i) + limit) / (2 * limit) * bins);
        counts[Math.min(bin, bins - 1)]++;
      }
    }
    return counts;
  }

  private static List<Double> edges(double limit, int bins) {
    List<Double> edges = new ArrayList<>(bins + 1);
    for (int i = 0; i <= bins; i++) {
      edges.add(limit * (2.0 * i / bins - 1));
    }
    return edges;
  }

  private static List<Long> list(long[] counts) {
    List<Long> list = new ArrayList<>(counts.length);
    for (long count : counts) {
      list.add(count);
    }
    return list;
  }
}
