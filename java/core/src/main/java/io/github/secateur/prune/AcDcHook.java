package io.github.secateur.prune;

import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.function.Function;

/**
 * At the first step of a compressed phase, prunes to the final sparsity; at that of a decompressed
 * one, lifts the masks and resets the optimizer. Has no state: the phase follows from the epoch.
 */
final class AcDcHook implements TrainHook {
  private final Phases phases;
  private final Function<Training, Pruner<?>> pruning;
  private Pruner<?> pruner;

  /**
   * Which epochs are compressed. After the warm-up (at least one epoch less than all) come phases,
   * compressed first, then in turn; the last phase, perhaps a short one, is compressed even after a
   * compressed one.
   */
  record Phases(Strategy.AcDc how, int epochs) {
    private int warmUp() {
      return (int) Math.min(Math.round(how.warmUp() * epochs), epochs - 1L);
    }

    /** Whether an epoch, from 0, trains under masks. */
    boolean compressed(int epoch) {
      int after = epoch - warmUp();
      if (after < 0) {
        return false;
      }
      int phase = after / how.phaseEpochs();
      int last = (epochs - 1 - warmUp()) / how.phaseEpochs();
      return phase % 2 == 0 || phase == last;
    }

    /** Whether an epoch differs from the one before; the first does if it is compressed. */
    boolean changes(int epoch) {
      return compressed(epoch) != (epoch > 0 && compressed(epoch - 1));
    }
  }

  AcDcHook(Phases phases, Function<Training, Pruner<?>> pruning) {
    this.phases = phases;
    this.pruning = pruning;
  }

  @Override
  public String name() {
    return "acdc";
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
    boolean first = training.step() % training.stepsPerEpoch() == 0;
    if (!first || !phases.changes(training.epoch())) {
      return;
    }
    if (phases.compressed(training.epoch())) {
      pruner.step(0, training.totalSteps());
    } else {
      PruneHook.liftMasks(training);
      training.resetOptimizer();
    }
  }
}
