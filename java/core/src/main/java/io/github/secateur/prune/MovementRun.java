package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/**
 * One run over latent weights. At the last pruning step of the schedule exactly the weights of
 * lowest score go; from there on the mask stays and the run fine-tunes.
 */
record MovementRun(Stages stages, Strategy.Movement how) {
  PruneResult run() {
    stages.requireNoPatience("movement pruning");
    if (how.schedule() instanceof Schedule.OneShot) {
      throw new IllegalArgumentException(
          "movement pruning learns its scores while it trains, so it needs a gradual schedule, such"
              + " as the cubic one");
    }
    Model dense = stages.dense();
    List<Layer> layers = stages.layers();
    MovementHook hook = new MovementHook(stages, how);
    Model trained =
        stages.train(
            "movement",
            LatentWeights.masked(dense, layers, how.soft() ? MovementHook.FIRST_SCORE : 0),
            LatentWeights.freezing(stages.options().fineTune()),
            List.of(hook));
    return stages.result(LatentWeights.pruned(trained, dense, layers), hook.learned());
  }
}
