package io.github.secateur.prune;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Coupling;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Criteria of units that read the gradients of their incoming weights over calibration samples:
 *
 * <ul>
 *   <li>Taylor: Σ_b share_b · (Σ w · g_b)², the inner sum over the unit's weights (Molchanov et
 *       al., arXiv 1906.10771, eq. 8), in double on the host;
 *   <li>SNIP and Fisher: the sum over the unit's weights of what {@link GradientScorer} gives
 *       these.
 * </ul>
 */
record UnitGradients(Site site, List<UnitGroup> groups, Calibration calibration) {
  /** Refuses to score without samples. */
  UnitGradients {
    if (calibration == null) {
      throw new IllegalArgumentException(
          "the criterion scores units by samples of training data, but here there are none; give"
              + " training data, or prune by magnitude");
    }
  }

  UnitScores taylor(int samples) {
    List<double[]> sums = new ArrayList<>();
    groups.forEach(group -> sums.add(new double[group.units()]));
    Map<String, Tensor> weights = new LinkedHashMap<>();
    for (String parameter : incoming()) {
      weights.put(parameter, site.device().toHost(site.weight(parameter)));
    }
    GradientSource.Options options = GradientSource.Options.of(samples);
    try (GradientSource source =
        new GradientSource(calibration, List.copyOf(weights.keySet()), options)) {
      source.forEach(
          batch -> {
            Map<String, Tensor> gradients = new LinkedHashMap<>();
            weights
                .keySet()
                .forEach(p -> gradients.put(p, site.device().toHost(batch.gradient(p))));
            for (int g = 0; g < groups.size(); g++) {
              double[] products = products(groups.get(g), weights, gradients);
              for (int u = 0; u < products.length; u++) {
                sums.get(g)[u] += batch.share() * products[u] * products[u];
              }
            }
          });
    }
    return new UnitScores(sums.stream().map(UnitScores::rounded).toList());
  }

  /** Σ w · g over the incoming weights of each unit. */
  private static double[] products(
      UnitGroup group, Map<String, Tensor> weights, Map<String, Tensor> gradients) {
    double[] products = new double[group.units()];
    for (Coupling.Slice slice : group.incoming()) {
      Tensor w = weights.get(slice.parameter());
      Tensor g = gradients.get(slice.parameter());
      UnitWeights.forEach(
          w.shape(),
          slice,
          group.units(),
          (unit, i) -> products[unit] += (double) w.getFloat(i) * g.getFloat(i));
    }
    return products;
  }

  UnitScores snip(int samples) {
    return summed(scorer().snip(samples));
  }

  UnitScores fisher(int samples) {
    return summed(scorer().fisher(samples));
  }

  private GradientScorer scorer() {
    return new GradientScorer(new WeightScorer.Source(site, layers(), calibration));
  }

  /** The incoming weights as layers; scores do not read their axes. */
  private List<Layer> layers() {
    return incoming().stream().map(p -> new Layer(p, p, site.weight(p).shape(), 0, 1)).toList();
  }

  private Set<String> incoming() {
    Set<String> parameters = new TreeSet<>();
    groups.forEach(group -> group.incoming().forEach(s -> parameters.add(s.parameter())));
    return parameters;
  }

  /** Sums of scores that are 0 or more; closes them. */
  private UnitScores summed(WeightScores scores) {
    try (scores) {
      Map<String, DeviceTensor> byParameter = new LinkedHashMap<>();
      List<Layer> layers = layers();
      for (int i = 0; i < layers.size(); i++) {
        byParameter.put(layers.get(i).parameter(), scores.tensors().get(i));
      }
      return new UnitWeights(site.device(), byParameter::get, groups).norms(1);
    }
  }
}
