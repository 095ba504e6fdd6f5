package io.github.secateur.prune;

import io.github.secateur.tensor.Shape;

/**
 * A prunable weight.
 *
 * @param name of its node
 * @param parameter name of the weight
 * @param shape of the weight
 * @param outputAxis axis of {@code shape} that runs over the layer's output units
 * @param inputAxis axis of {@code shape} that runs over its input units
 */
record Layer(String name, String parameter, Shape shape, int outputAxis, int inputAxis) {
  /** Number of weights. */
  long size() {
    return shape.size();
  }

  /** Number of output units. */
  long units() {
    return shape.dim(outputAxis);
  }
}
