package io.github.secateur.io;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Masks in ONNX files. A file holds no masks, only the zeros they made, and the names of the masked
 * weights as a metadata property; on reading, every zero of those weights counts as pruned, so that
 * it stays zero in further training. (A kept weight that happened to be zero is then pruned too.)
 */
final class PrunedWeights {
  /** Metadata property that holds the names of masked weights, one a line. */
  static final String PROPERTY = "secateur.pruned";

  private PrunedWeights() {}

  /** The metadata to write: the model's own, and the names of its masked weights. */
  static Map<String, String> metadata(Model model) {
    Map<String, String> metadata = new LinkedHashMap<>(model.metadata());
    if (!model.masks().isEmpty()) {
      metadata.put(PROPERTY, String.join("\n", model.masks().keySet()));
    }
    return metadata;
  }

  /** Takes the property off a model that was read and makes its masks. */
  static void restoreMasks(Model model) {
    String names = model.metadata().remove(PROPERTY);
    if (names == null) {
      return;
    }
    for (String name : names.split("\n")) {
      Tensor weights = model.graph().initializers().get(name);
      if (weights != null && weights.dtype() == DType.F32) {
        Mask mask = Mask.ones(weights.shape());
        for (long i = 0; i < weights.size(); i++) {
          if (weights.getFloat(i) == 0) {
            mask.set(i, false);
          }
        }
        model.masks().put(name, mask);
      }
    }
  }

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
