package io.github.secateur.io;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;

/** The rule that masks stand for, checked where a model leaves the program. */
final class PrunedWeights {
  private PrunedWeights() {}

  /**
   * Checks that every F32 weight that a mask prunes is 0.
   *
   * @throws IllegalArgumentException naming tensor and index of the first that is not
   */
  static void requireZero(Model model) {
    model
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weights = model.graph().initializers().get(name);
              if (weights != null && weights.dtype() == DType.F32) {
                requireZero(name, weights, mask);
              }
            });
  }

  private static void requireZero(String name, Tensor weights, Mask mask) {
    if (!weights.shape().equals(mask.shape())) {
      throw new IllegalArgumentException(
          "the mask of '%s' has shape %s, the weights have %s"
              .formatted(name, mask.shape(), weights.shape()));
    }
    for (long i = 0; i < weights.size(); i++) {
      if (weights.getFloat(i) != 0 && !mask.kept(i)) {
        throw new IllegalArgumentException(
            "weight %d of '%s' is pruned by its mask but is %s; apply the mask before writing"
                .formatted(i, name, weights.getFloat(i)));
      }
    }
  }

  /** Replaces the F32 weights that have masks by copies with 0 wherever the mask prunes. */
  static void applyMasks(Model model) {
    model
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weights = model.graph().initializers().get(name);
              if (weights != null && weights.dtype() == DType.F32) {
                Tensor masked = weights.copy();
                for (long i = 0; i < masked.size(); i++) {
                  if (!mask.kept(i)) {
                    masked.setFloat(i, 0);
                  }
                }
                model.graph().initializers().put(name, masked);
              }
            });
  }
}
