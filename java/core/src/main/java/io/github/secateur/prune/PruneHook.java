package io.github.secateur.prune;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.Map;
import java.util.function.Function;

/** Prunes while training, before the steps that a schedule names. */
final class PruneHook implements TrainHook {
  private final Schedule schedule;
  private final Function<Training, Pruner<?>> pruning;
  private Pruner<?> pruner;
  private long pruned = -1;

  /**
   * @param pruning makes the pruner of a run
   */
  PruneHook(Schedule schedule, Function<Training, Pruner<?>> pruning) {
    this.schedule = schedule;
    this.pruning = pruning;
  }

  @Override
  public String name() {
    return "prune";
  }

  @Override
  public void start(Training training) {
    pruner = pruning.apply(training);
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void beforeStep(Training training) {
    long step = training.step();
    if (step > pruned && Schedules.prunesAt(schedule, step, training.totalSteps())) {
      pruner.step(step, training.totalSteps());
      pruned = step;
    }
  }

  /** The last step pruned before; the masks are saved by the training run. */
  @Override
  public Map<String, Tensor> state() {
    return Map.of("pruned", Tensor.ofLongs(Shape.of(1), pruned));
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    pruned = state.get("pruned").getLong(0);
  }
}
