package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/** Prunes by schedule while it fine-tunes: one stage. */
record ScoredRun(Stages stages, Strategy.Scored how) {
  private static final System.Logger LOG = System.getLogger(ScoredRun.class.getName());

  PruneResult run() {
    PruneOptions options = stages.options();
    if (options.fineTune().epochs() == 0 && how.schedule() instanceof Schedule.OneShot) {
      return stages.result(stages.cutOnData(reordered(), how), Double.NaN);
    }
    if (!(how.schedule() instanceof Schedule.OneShot) && options.fineTune().patience() > 0) {
      throw new IllegalArgumentException(
          "early stopping would end the run before its last pruning step; set patience to 0 or"
              + " prune one-shot");
    }
    Model start = reordered();
    Pruners pruners = new Pruners(start, stages.layers(), how, stages.sparsity(), options);
    PruneHook hook = new PruneHook(how.schedule(), t -> pruners.of(t, stages.data().train()));
    Model pruned = stages.train(Stages.FINE_TUNE, start, options.fineTune(), List.of(hook));
    return stages.result(pruned, Double.NaN);
  }

  /** The dense network, its channels in the order that N:M asks for. */
  private Model reordered() {
    if (!(how.pattern() instanceof Pattern.NM nm) || !nm.permute()) {
      return stages.dense();
    }
    var result = ChannelPermutation.apply(stages.dense(), nm, stages.options().fineTune().seed());
    LOG.log(System.Logger.Level.INFO, result);
    return result.model();
  }
}
