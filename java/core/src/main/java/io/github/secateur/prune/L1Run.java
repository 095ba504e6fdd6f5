package io.github.secateur.prune;

import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Model;
import java.util.List;

/** Training under an L1 penalty, the exact cut by |w|, fine-tuning. */
record L1Run(Stages stages, Strategy.L1 how) {
  PruneResult run() {
    int epochs = stages.sparsifyingEpochs(how.share());
    double target = Quotas.target(how.allocation(), stages.layers(), stages.sparsity());
    Model sparse =
        stages.train(
            Stages.SPARSIFY,
            stages.dense(),
            stages.forEpochs(epochs),
            List.of(new L1Hook(stages.layers(), target)));
    double learned = Census.zeros(stages.census(sparse));
    Strategy.Scored exact =
        new Strategy.Scored(
            new Criterion.Magnitude(PruneOps.Norm.L1),
            new Pattern.Unstructured(),
            how.allocation(),
            new Schedule.OneShot());
    return stages.result(stages.fineTune(stages.cut(sparse, exact), epochs), learned);
  }
}
