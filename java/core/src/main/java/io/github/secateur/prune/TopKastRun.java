package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One run over latent weights. The set that its last step multiplied by is the mask; early stopping
 * takes weights and set of the same epoch.
 */
record TopKastRun(Stages stages, Strategy.TopKast how) {
  PruneResult run() {
    Model dense = stages.dense();
    List<Layer> layers = stages.layers();
    Pruners forward = pruners(how.allocation(), stages.sparsity());
    Pruners backward =
        pruners(scaled(how.allocation(), how.backward()), stages.sparsity() * how.backward());
    double density = 1 - Quotas.target(how.allocation(), layers, stages.sparsity());
    TopKastHook hook =
        new TopKastHook(layers, how, new TopKastHook.Sets(forward, backward, density));
    Model trained =
        stages.train(
            "topkast",
            LatentWeights.masked(dense, layers, 1),
            LatentWeights.freezing(stages.options().fineTune()),
            List.of(hook));
    return stages.result(LatentWeights.pruned(trained, dense, layers), Double.NaN);
  }

  private Pruners pruners(Allocation allocation, double sparsity) {
    return new Pruners(
        stages.dense(),
        stages.layers(),
        Stages.byMagnitude(allocation),
        sparsity,
        stages.options());
  }

  private static Allocation scaled(Allocation allocation, double by) {
    if (!(allocation instanceof Allocation.Ratios(Map<String, Double> ratios))) {
      return allocation;
    }
    Map<String, Double> less = new LinkedHashMap<>();
    ratios.forEach((layer, ratio) -> less.put(layer, ratio * by));
    return new Allocation.Ratios(less);
  }
}
