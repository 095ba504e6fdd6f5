package io.github.secateur.train;

import io.github.secateur.graph.Model;
import java.util.List;

/**
 * What a training run made.
 *
 * @param model the given model with trained weights, and masks where there are any
 * @param history one record an epoch
 * @param steps optimizer steps taken, those of earlier processes included
 * @param validation metrics of {@code model} on the validation samples, null without any
 * @param stoppedEarly whether patience ran out before the last epoch
 */
public record TrainResult(
    Model model, List<EpochRecord> history, long steps, Metrics validation, boolean stoppedEarly) {
  /** Copies the history. */
  public TrainResult {
    history = List.copyOf(history);
  }
}
