package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Training;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the pruner that a strategy asks for.
 *
 * @param model the network
 * @param layers what is prunable in it
 * @param how the four axes
 * @param sparsity asked for
 * @param options limits and mask rule
 */
record Pruners(
    Model model, List<Layer> layers, Strategy.Scored how, double sparsity, PruneOptions options) {
  /**
   * The network pruned once, on copies of its weights.
   *
   * @param calibration null where no activations can be read
   */
  Model once(Device device, Calibration calibration) {
    Map<String, Tensor> weights = new LinkedHashMap<>(model.graph().initializers());
    weights.values().removeIf(tensor -> !tensor.dtype().isFloating());
    try (HeldSite site = new HeldSite(device, weights, model.masks())) {
      of(site, calibration).step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      pruned.masks().putAll(site.masksToHost());
      return pruned;
    }
  }

  /** For a training run; activations are read over its samples. */
  Pruner<?> of(Training training, Samples samples) {
    return of(Site.of(training), new Calibration(model, training.parameters(), samples));
  }

  /**
   * For weights anywhere.
   *
   * @param calibration null where no activations can be read
   */
  Pruner<?> of(Site site, Calibration calibration) {
    return switch (how.pattern()) {
      case Pattern.Unstructured _, Pattern.NM _, Pattern.Block _, Pattern.Line _ ->
          new WeightPruner(
              new WeightScorer.Source(site, layers, calibration),
              how,
              sparsity,
              options.limits(),
              options.rule());
      case Pattern.Neuron(int roundTo) ->
          new UnitPruner(
              site,
              UnitPruner.Network.of(model, layers, options.limits(), roundTo),
              how,
              options.budget() instanceof Budget.Counted counted
                  ? counted
                  : new Budget.Sparsity(sparsity),
              calibration);
      case Pattern.Given given -> new MaskPruner(site, layers, given, how.schedule());
    };
  }
}
