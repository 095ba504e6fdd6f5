package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.nn.SparseInitialization;
import io.github.secateur.tensor.Mask;

/** The cut before training, the kept weights drawn anew for it, then training under the mask. */
record ForesightRun(Stages stages, Strategy.Foresight how) {
  private static final long OTHER_SEED = 0x2545f4914f6cdd1dL;

  PruneResult run() {
    Model fresh = stages.cutOnData(stages.dense(), how.cut());
    long seed = stages.options().fineTune().seed() ^ OTHER_SEED;
    for (Layer layer : stages.changeable()) {
      Mask mask = fresh.masks().get(layer.parameter());
      if (mask != null) {
        fresh
            .graph()
            .initializers()
            .put(layer.parameter(), SparseInitialization.draw(mask, layer.outputAxis(), seed++));
      }
    }
    return stages.result(stages.fineTune(fresh, 0), Double.NaN);
  }
}
