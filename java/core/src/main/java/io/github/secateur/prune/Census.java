package io.github.secateur.prune;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Counts what pruning left. */
final class Census {
  private Census() {}

  /**
   * Counts a layer.
   *
   * @param weight F32
   * @param mask null when nothing is pruned
   */
  static LayerSparsity of(Layer layer, Tensor weight, Mask mask) {
    Shape shape = layer.shape();
    long inner = 1;
    for (int axis = layer.outputAxis() + 1; axis < shape.rank(); axis++) {
      inner *= shape.dim(axis);
    }
    boolean[] alive = new boolean[Math.toIntExact(layer.units())];
    long pruned = 0;
    long keptZeros = 0;
    for (long i = 0; i < shape.size(); i++) {
      if (mask != null && !mask.kept(i)) {
        pruned++;
        continue;
      }
      alive[(int) (i / inner % alive.length)] = true;
      if (weight.getFloat(i) == 0) {
        keptZeros++;
      }
    }
    long dead = 0;
    for (boolean unit : alive) {
      dead += unit ? 0 : 1;
    }
    return new LayerSparsity(
        layer.name(), layer.parameter(), shape, pruned, keptZeros, alive.length, dead);
  }

  /** Counts all layers of a model whose weights are initializers of its main graph. */
  static List<LayerSparsity> of(
      List<Layer> layers, Map<String, Tensor> weights, Map<String, Mask> masks) {
    return layers.stream()
        .map(l -> of(l, weights.get(l.parameter()), masks.get(l.parameter())))
        .toList();
  }

  /** Pruned over all weights. */
  static double sparsity(List<LayerSparsity> layers) {
    long pruned = layers.stream().mapToLong(LayerSparsity::pruned).sum();
    long total = layers.stream().mapToLong(l -> l.shape().size()).sum();
    return total == 0 ? 0 : (double) pruned / total;
  }

  /** Weights that are pruned or zero, over all weights. */
  static double zeros(List<LayerSparsity> layers) {
    long zero = layers.stream().mapToLong(l -> l.pruned() + l.keptZeros()).sum();
    long total = layers.stream().mapToLong(l -> l.shape().size()).sum();
    return total == 0 ? 0 : (double) zero / total;
  }
}
