package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/**
 * A weight that may be pruned.
 *
 * @param parameter its path, see {@link ParameterPath}: for an initializer of the main graph its
 *     name
 * @param layer name of the first node that multiplies by it (its output's name when it has none)
 * @param opType operator of that node
 * @param dtype element type as stored
 * @param shape shape as stored
 * @param outAxis axis of the stored tensor that counts output units (for recurrent weights: gates
 *     times units)
 * @param inAxis axis of the stored tensor that counts input units
 */
public record Prunable(
    String parameter,
    String layer,
    String opType,
    DType dtype,
    Shape shape,
    int outAxis,
    int inAxis) {
  /** Number of weights. */
  public long size() {
    return shape.size();
  }
}
