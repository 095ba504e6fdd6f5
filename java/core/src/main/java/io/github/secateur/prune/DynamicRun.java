package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.train.SparseMode;
import java.util.List;

/**
 * Random masks at the final sparsity, exact in every layer, then training in which living weights
 * move and their number stays, in each layer or, where momentum shares them out, in all together.
 */
record DynamicRun(Stages stages, Strategy.Dynamic how) {
  PruneResult run() {
    Allocation allocation = how.allocation();
    if (allocation instanceof Allocation.Global || allocation instanceof Allocation.Lamp) {
      throw new IllegalArgumentException(
          "dynamic sparse training starts without training, so no weight says which layer needs"
              + " more; use ERK, per-layer sparsity or ratios");
    }
    if (how.growth() != Strategy.Growth.RANDOM
        && stages.options().fineTune().sparse() != SparseMode.OFF) {
      throw new IllegalArgumentException(
          "weights grow where the dense %s is largest, which sparse training does not compute; set"
                  .formatted(how.growth() == Strategy.Growth.GRADIENT ? "gradient" : "momentum")
              + " sparse training off, or grow at random");
    }
    long seed = stages.options().fineTune().seed();
    Strategy.Scored random =
        new Strategy.Scored(
            new Criterion.Random(seed),
            new Pattern.Unstructured(),
            allocation,
            new Schedule.OneShot());
    Model start = stages.cut(stages.dense(), random);
    if (how.reinitialize()) {
      stages.drawAnew(start);
    }
    Model trained =
        stages.train(
            "dynamic",
            start,
            stages.options().fineTune(),
            List.of(new DynamicHook(stages.changeable(), how, stages.options().limits(), seed)));
    return stages.result(trained, Double.NaN);
  }
}
