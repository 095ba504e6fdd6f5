package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.List;

/** Training with hard-concrete gates, the exact cut by log α, folding, fine-tuning. */
record GatesRun(Stages stages, Strategy.Gates how) {
  /**
   * log α moves this many times as fast as the weights: it has to cross from open (2) to shut (−3)
   * in a few epochs.
   */
  private static final float GATE_RATE = 20;

  PruneResult run() {
    Model dense = stages.dense();
    List<Layer> layers = stages.layers();
    int epochs = stages.sparsifyingEpochs(how.share());
    double target = Quotas.target(how.allocation(), layers, stages.sparsity());
    Gates gates =
        switch (how.pattern()) {
          case Pattern.Unstructured() -> Gates.perWeight(layers);
          case Pattern.Neuron _ -> Gates.perUnit(dense, layers, UnitGroups.of(dense));
          case Pattern.NM _, Pattern.Block _, Pattern.Line _, Pattern.Given _ ->
              throw new IllegalArgumentException(
                  "gates learn their masks; use the unstructured or the neuron pattern");
        };
    // A rate that decays to 0 would take the penalty's hold on the gates with it.
    TrainOptions slow = stages.atConstantRate(epochs);
    List<TrainOptions.Rule> rules = new ArrayList<>();
    rules.add(new TrainOptions.Rule(Gates.SUFFIX, GATE_RATE, false));
    rules.addAll(slow.rules());
    Model trained =
        stages.train(
            Stages.SPARSIFY,
            gates.insert(dense),
            slow.withRules(rules),
            List.of(new GateHook(gates, target)));
    double learned = gates.shut(stages.device(), trained);
    Model folded = gates.fold(stages.device(), trained, dense);
    Criterion byLogAlpha = new Criterion.Given(gates.logAlphas(trained));
    Strategy.Scored exact =
        new Strategy.Scored(byLogAlpha, how.pattern(), how.allocation(), new Schedule.OneShot());
    return stages.result(stages.fineTune(stages.cut(folded, exact), epochs), learned);
  }
}
