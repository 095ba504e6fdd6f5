package io.github.secateur.prune;

import io.github.secateur.graph.Model;

/** The cut before training, the kept weights drawn anew for it, then training under the mask. */
record ForesightRun(Stages stages, Strategy.Foresight how) {
  PruneResult run() {
    Model fresh = stages.cutOnData(stages.dense(), how.cut());
    stages.drawAnew(fresh);
    return stages.result(stages.fineTune(fresh, 0), Double.NaN);
  }
}
