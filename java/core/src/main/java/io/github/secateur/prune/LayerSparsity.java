package io.github.secateur.prune;

import io.github.secateur.tensor.Shape;

/**
 * What pruning did to one weight tensor.
 *
 * @param layer node name
 * @param parameter weight name
 * @param shape shape of the weight
 * @param pruned mask bits that prune
 * @param keptZeros kept weights that happen to be ±0
 * @param units output units of the layer
 * @param deadUnits output units all of whose incoming weights are pruned
 */
public record LayerSparsity(
    String layer,
    String parameter,
    Shape shape,
    long pruned,
    long keptZeros,
    long units,
    long deadUnits) {
  /** Pruned over all. */
  public double sparsity() {
    return shape.size() == 0 ? 0 : (double) pruned / shape.size();
  }
}
