package io.github.secateur.prune;

import io.github.secateur.train.TrainOptions;
import java.util.List;

/** Compressed and decompressed phases in turn, in one run. */
record AcDcRun(Stages stages, Strategy.AcDc how) {
  PruneResult run() {
    stages.requireNoPatience("AC/DC");
    TrainOptions options = stages.options().fineTune();
    Strategy.Scored largest = Stages.byMagnitude(how.allocation());
    Pruners pruners =
        new Pruners(stages.dense(), stages.layers(), largest, stages.sparsity(), stages.options());
    AcDcHook hook =
        new AcDcHook(
            new AcDcHook.Phases(how, options.epochs()),
            training -> pruners.of(training, stages.data().train()));
    return stages.result(stages.train("acdc", stages.dense(), options, List.of(hook)), Double.NaN);
  }
}
