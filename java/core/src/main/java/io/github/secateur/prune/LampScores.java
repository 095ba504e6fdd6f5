package io.github.secateur.prune;

import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * LAMP scores of one layer (Lee et al., arXiv 2010.07611, eq. 3). With the weights in ascending
 * order of magnitude, of equal ones the higher index first,
 *
 * <pre>score(u) = w_u² / Σ over v ≥ u of w_v²</pre>
 *
 * so that the largest weight of every layer scores 1, and one threshold for all layers takes
 * exactly the smallest weights of each. Ties are thus broken before scoring, by the rule of masks
 * (the lower index is kept). A weight of 0 scores 0, also where all are 0.
 *
 * <p>On the host in double, so that every device masks alike; cost: n floats downloaded and a sort,
 * O(n log n) time and 16 n bytes.
 *
 * @param order flat indices in ascending order of score
 * @param score of {@code order[i]}, never falling with i
 */
record LampScores(int[] order, double[] score) {
  /**
   * Scores the weights of a layer.
   *
   * @param weights F32, on the host
   * @throws IllegalArgumentException naming the index of a NaN
   */
  static LampScores of(Layer layer, Tensor weights) {
    int n = Math.toIntExact(weights.size());
    long[] keys = new long[n];
    for (int i = 0; i < n; i++) {
      float w = Math.abs(weights.getFloat(i));
      if (Float.isNaN(w)) {
        throw new IllegalArgumentException(
            "weight '%s' %s is NaN at index %d; no weight was changed"
                .formatted(layer.parameter(), layer.shape(), i));
      }
      keys[i] = (long) Float.floatToRawIntBits(w) << 32 | (n - 1 - i);
    }
    Arrays.parallelSort(keys);
    int[] order = new int[n];
    double[] score = new double[n];
    double sum = 0;
    for (int rank = n - 1; rank >= 0; rank--) {
      order[rank] = n - 1 - (int) keys[rank];
      double w = Float.intBitsToFloat((int) (keys[rank] >>> 32));
      sum += w * w;
      score[rank] = w == 0 ? 0 : Double.isInfinite(w) ? 1 : w * w / sum;
    }
    return new LampScores(order, score);
  }

  /** The scores at the weights' places. */
  float[] toFloats() {
    float[] scores = new float[order.length];
    for (int rank = 0; rank < order.length; rank++) {
      scores[order[rank]] = (float) score[rank];
    }
    return scores;
  }

  /**
   * How many weights each layer loses when the {@code total} lowest scores of all go, each layer
   * within its bounds. Of equal scores those of the later layer go first.
   */
  static long[] smallest(List<LampScores> layers, Bounds bounds, long total) {
    long from = -1; // bits of scores, which are in order: below `to` too few go, at `to` enough
    long to = Double.doubleToRawLongBits(1);
    while (to - from > 1) {
      long middle = (from + to) >>> 1;
      if (Arrays.stream(upTo(layers, bounds, middle)).sum() >= total) {
        to = middle;
      } else {
        from = middle;
      }
    }
    long[] k = upTo(layers, bounds, from);
    long[] most = upTo(layers, bounds, to);
    long missing = total - Arrays.stream(k).sum();
    for (int i = k.length - 1; i >= 0; i--) {
      long more = Math.min(missing, most[i] - k[i]);
      k[i] += more;
      missing -= more;
    }
    return k;
  }

  /** Scores at or below a threshold, by layer, within the bounds. */
  private static long[] upTo(List<LampScores> layers, Bounds bounds, long thresholdBits) {
    long[] counts = new long[layers.size()];
    for (int i = 0; i < counts.length; i++) {
      long count =
          thresholdBits < 0 ? 0 : layers.get(i).upTo(Double.longBitsToDouble(thresholdBits));
      counts[i] = Math.clamp(count, bounds.low()[i], bounds.high()[i]);
    }
    return counts;
  }

  private int upTo(double threshold) {
    int from = 0;
    int to = score.length;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (score[middle] <= threshold) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}
