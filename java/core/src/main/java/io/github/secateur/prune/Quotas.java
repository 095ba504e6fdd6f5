package io.github.secateur.prune;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Exact numbers of weights to prune, by group: layers of one group share a threshold.
 *
 * @param group of each layer
 * @param k weights to prune in each group, {@code round-half-even(sparsity · n)}
 */
record Quotas(int[] group, long[] k) {
  /**
   * Spreads a sparsity over layers without limits; {@link Allocator} has those.
   *
   * @param sparsity of this moment
   * @param target where the schedule ends; explicit ratios are scaled by sparsity / target
   */
  static Quotas of(Allocation allocation, List<Layer> layers, double sparsity, double target) {
    int[] group = new int[layers.size()];
    return switch (allocation) {
      case Allocation.Global() -> new Quotas(group, new long[] {count(sparsity, total(layers))});
      case Allocation.PerLayer() ->
          byLayer(layers.stream().mapToLong(l -> count(sparsity, l.size())).toArray());
      case Allocation.PerOutput() ->
          byLayer(layers.stream().mapToLong(l -> l.units() * ofOutput(l, sparsity)).toArray());
      case Allocation.Erk() ->
          byLayer(
              erk(
                  layers,
                  sparsity,
                  target,
                  Bounds.of(layers, Limits.NONE, new long[layers.size()])));
      case Allocation.Lamp() ->
          throw new IllegalArgumentException(
              "the LAMP allocation reads single weights; use it with the unstructured pattern");
      case Allocation.Ratios(Map<String, Double> ratios) -> {
        double scale = target == 0 ? 0 : sparsity / target;
        long[] k = new long[group.length];
        for (int i = 0; i < k.length; i++) {
          double ratio = ratios.getOrDefault(layers.get(i).name(), 0.0);
          k[i] = count(ratio * scale, layers.get(i).size());
        }
        yield byLayer(k);
      }
    };
  }

  /** A threshold for each layer. */
  static Quotas byLayer(long[] k) {
    int[] group = new int[k.length];
    Arrays.setAll(group, i -> i);
    return new Quotas(group, k);
  }

  /** Weights that each output of a layer loses at a sparsity. */
  private static long ofOutput(Layer layer, double sparsity) {
    return layer.units() == 0 ? 0 : count(sparsity, layer.size() / layer.units());
  }

  /**
   * Erdős–Rényi-kernel numbers (Evci et al., arXiv 1911.11134, section 3 and appendix). At the
   * target each layer keeps ε · (sum of its weight's dimensions), or all of it where that is less,
   * with the one ε that keeps n − round-half-even(target · n) in all; before, each layer has lost
   * the same part of what it loses then. Both are rounded by {@link WaterFilling} and sum exactly.
   */
  static long[] erk(List<Layer> layers, double sparsity, double target, Bounds bounds) {
    int count = layers.size();
    long n = total(layers);
    double[] dimensions = new double[count];
    long[] least = new long[count];
    long[] most = new long[count];
    for (int i = 0; i < count; i++) {
      Layer layer = layers.get(i);
      dimensions[i] = Arrays.stream(layer.shape().dims()).sum();
      least[i] = layer.size() - bounds.high()[i];
      most[i] = layer.size() - bounds.low()[i];
    }
    long end = bounds.total(count(Math.max(sparsity, target), n));
    long[] kept = WaterFilling.fill(dimensions, least, most, n - end);
    long[] lost = new long[count];
    double[] rate = new double[count];
    for (int i = 0; i < count; i++) {
      lost[i] = layers.get(i).size() - kept[i];
      rate[i] = lost[i];
    }
    return WaterFilling.fill(rate, bounds.low(), lost, bounds.total(count(sparsity, n)));
  }

  /**
   * The sparsity over all layers that an allocation ends at: the one asked for, or what explicit
   * ratios come to.
   *
   * @throws IllegalArgumentException naming a layer that is not there, and those that are
   */
  static double target(Allocation allocation, List<Layer> layers, double asked) {
    if (!(allocation instanceof Allocation.Ratios(Map<String, Double> ratios))) {
      return asked;
    }
    ratios.keySet().forEach(name -> Layers.requireKnown(name, layers));
    long pruned = 0;
    for (Layer layer : layers) {
      pruned += count(ratios.getOrDefault(layer.name(), 0.0), layer.size());
    }
    return total(layers) == 0 ? 0 : (double) pruned / total(layers);
  }

  /** round-half-even(sparsity · n), in double. */
  static long count(double sparsity, long n) {
    return (long) Math.rint(sparsity * n);
  }

  /** Weights of all layers. */
  static long total(List<Layer> layers) {
    return layers.stream().mapToLong(Layer::size).sum();
  }
}
