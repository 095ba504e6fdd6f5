package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.train.Training;
import java.util.List;

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
