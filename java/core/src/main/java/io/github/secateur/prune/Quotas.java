package io.github.secateur.prune;

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
   * Spreads a sparsity over layers.
   *
   * @param sparsity of this moment
   * @param target where the schedule ends; explicit ratios are scaled by sparsity / target
   */
  static Quotas of(Allocation allocation, List<Layer> layers, double sparsity, double target) {
    int[] group = new int[layers.size()];
    return switch (allocation) {
      case Allocation.Global() -> new Quotas(group, new long[] {count(sparsity, total(layers))});
      case Allocation.PerLayer() -> {
        long[] k = new long[group.length];
        for (int i = 0; i < k.length; i++) {
          group[i] = i;
          k[i] = count(sparsity, layers.get(i).size());
        }
        yield new Quotas(group, k);
      }
      case Allocation.PerOutput _, Allocation.Erk _, Allocation.Lamp _ -> throw Unbuilt.error();
      case Allocation.Ratios(Map<String, Double> ratios) -> {
        double scale = target == 0 ? 0 : sparsity / target;
        long[] k = new long[group.length];
        for (int i = 0; i < k.length; i++) {
          group[i] = i;
          double ratio = ratios.getOrDefault(layers.get(i).name(), 0.0);
          k[i] = count(ratio * scale, layers.get(i).size());
        }
        yield new Quotas(group, k);
      }
    };
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
