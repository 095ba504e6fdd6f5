package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.Map;
import java.util.function.Function;

/**
 * Prunes while training, before the steps that a schedule names. Where it also regrows, masks go
 * back to those that the run began with: what was pruned before the run and what limits freeze
 * stays so, all else lives again, at 0 and with optimizer state 0.
 */
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
    if (step > pruned && Schedules.regrowsAt(schedule, step, training.totalSteps())) {
      liftMasks(training);
    }
    if (step > pruned && Schedules.prunesAt(schedule, step, training.totalSteps())) {
      pruner.step(step, training.totalSteps());
      pruned = step;
    }
  }

  /** Masks as they were when the run began. */
  static void liftMasks(Training training) {
    Map<String, Mask> first = training.model().masks();
    for (String name : training.parameters().names()) {
      if (training.hasMask(name)) {
        DeviceMask mask = training.mask(name);
        Mask lifted = first.getOrDefault(name, Mask.ones(mask.shape()));
        training.device().upload(lifted.words(), mask.words(), 0);
        training.maskChanged(name);
      }
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
