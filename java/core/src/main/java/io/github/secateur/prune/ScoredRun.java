package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/** Prunes by schedule while it fine-tunes: one stage. */
record ScoredRun(Stages stages, Strategy.Scored how) {
  PruneResult run() {
    PruneOptions options = stages.options();
    if (options.fineTune().epochs() == 0 && how.schedule() instanceof Schedule.OneShot) {
      return stages.result(stages.cut(stages.dense(), how), Double.NaN);
    }
    if (!(how.schedule() instanceof Schedule.OneShot) && options.fineTune().patience() > 0) {
      throw new IllegalArgumentException(
          "early stopping would end the run before its last pruning step; set patience to 0 or"
              + " prune one-shot");
    }
    Pruners pruners = new Pruners(stages.dense(), stages.layers(), how, stages.sparsity(), options);
    PruneHook hook = new PruneHook(how.schedule(), t -> pruners.of(t, stages.data().train()));
    Model pruned =
        stages.train(Stages.FINE_TUNE, stages.dense(), options.fineTune(), List.of(hook));
    return stages.result(pruned, Double.NaN);
  }
}
