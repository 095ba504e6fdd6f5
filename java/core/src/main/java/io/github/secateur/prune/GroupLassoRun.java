package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/** Training under a group lasso, the exact cut by the groups' L2 norms, fine-tuning. */
record GroupLassoRun(Stages stages, Strategy.GroupLasso how) {
  PruneResult run() {
    List<Layer> layers = stages.changeable();
    List<LassoGroups> groups =
        switch (how.pattern()) {
          case Pattern.Neuron _ ->
              LassoGroups.ofUnits(stages.dense(), UnitGroups.of(stages.dense())).stream()
                  .filter(group -> isChangeable(group, layers))
                  .toList();
          case Pattern.Block block ->
              layers.stream().map(l -> LassoGroups.ofBoxes(l, Cuts.blocks(l, block))).toList();
          case Pattern.Line(Pattern.Axis axis) ->
              layers.stream().map(l -> LassoGroups.ofBoxes(l, Cuts.lines(l, axis))).toList();
          case Pattern.Unstructured _, Pattern.NM _, Pattern.Given _ ->
              throw new IllegalArgumentException(
                  "a group lasso empties neurons, blocks or lines; use one of these patterns, or"
                      + " the L1 penalty for single weights");
        };
    if (groups.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no hidden neurons for a group lasso; use blocks or lines");
    }
    int epochs = stages.sparsifyingEpochs(how.share());
    GroupLassoHook hook =
        new GroupLassoHook(
            layers, groups, Quotas.target(how.allocation(), stages.layers(), stages.sparsity()));
    // A rate that decays to 0 would take the penalty's hold on the groups with it.
    Model sparse =
        stages.train(Stages.SPARSIFY, stages.dense(), stages.atConstantRate(epochs), List.of(hook));
    Strategy.Scored exact =
        new Strategy.Scored(
            new Criterion.Magnitude(2), how.pattern(), how.allocation(), new Schedule.OneShot());
    return stages.result(stages.fineTune(stages.cut(sparse, exact), epochs), hook.learned());
  }

  private static boolean isChangeable(LassoGroups group, List<Layer> layers) {
    List<String> weights = layers.stream().map(Layer::parameter).toList();
    return group.parts().stream().map(LassoGroups.Part::parameter).allMatch(weights::contains);
  }
}
