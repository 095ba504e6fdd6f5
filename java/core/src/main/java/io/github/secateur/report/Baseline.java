package io.github.secateur.report;

import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Metrics;
import java.util.List;

/**
 * The dense network.
 *
 * @param test quality on the test samples, or null
 * @param history of its training; empty where it was not trained here
 * @param files sizes of its files, or null
 * @param trainSeconds wall time of its training, or null
 */
public record Baseline(
    Metrics test, List<EpochRecord> history, FileSizes files, Double trainSeconds) {
  /** Copies the list; NaN becomes null. */
  public Baseline {
    history = Lists.copy(history);
    trainSeconds = Lists.measured(trainSeconds);
  }
}
