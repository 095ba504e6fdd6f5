package io.github.secateur.prune;

import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.LinkedHashMap;
import java.util.Map;

/** Keeps the parameters as they were after a number of steps. */
final class RewindHook implements TrainHook {
  private final long step;
  private final Map<String, Tensor> captured = new LinkedHashMap<>();

  RewindHook(long step) {
    this.step = step;
  }

  @Override
  public String name() {
    return "rewind";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  /**
   * Checks the step.
   *
   * @throws IllegalArgumentException when the run does not get that far
   */
  @Override
  public void start(Training training) {
    if (step >= training.totalSteps()) {
      throw new IllegalArgumentException(
          "cannot rewind to step %d of a round of %d steps; rewind to an earlier one"
              .formatted(step, training.totalSteps()));
    }
  }

  @Override
  public void beforeStep(Training training) {
    if (training.step() == step) {
      training
          .parameters()
          .names()
          .forEach(name -> captured.put(name, training.parameters().toHost(name)));
    }
  }

  /** Parameters by name, once the step was passed. */
  Map<String, Tensor> captured() {
    return captured;
  }

  @Override
  public Map<String, Tensor> state() {
    return Map.copyOf(captured);
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    captured.clear();
    captured.putAll(state);
  }
}
