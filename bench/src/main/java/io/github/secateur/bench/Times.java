package io.github.secateur.bench;

import java.util.Arrays;
import java.util.List;

/**
 * Times of one side of a race.
 *
 * @param median microseconds, over the runs of all rounds
 * @param least microseconds
 * @param runs how many were timed
 */
record Times(double median, double least, int runs) {
  /** Of the runs of each round. */
  static Times of(List<double[]> rounds) {
    double[] all = rounds.stream().flatMapToDouble(Arrays::stream).sorted().toArray();
    if (all.length == 0) {
      throw new IllegalArgumentException("no run was timed");
    }
    int half = all.length / 2;
    double median = all.length % 2 == 1 ? all[half] : (all[half - 1] + all[half]) / 2;
    return new Times(median, all[0], all.length);
  }
}
