package io.github.secateur.prune;

import java.util.Map;

/** How a sparsity over all prunable weights is spread over the layers. */
public sealed interface Allocation {
  /** One threshold over all layers. */
  record Global() implements Allocation {}

  /** The same sparsity in every layer. */
  record PerLayer() implements Allocation {}

  /**
   * A sparsity for each layer by its name; layers not named stay dense. The overall sparsity
   * follows from these, a schedule scales them all.
   *
   * @param sparsity 0..1 by layer name
   */
  record Ratios(Map<String, Double> sparsity) implements Allocation {
    /** Checks the ranges. */
    public Ratios {
      sparsity = Map.copyOf(sparsity);
      sparsity.forEach(
          (layer, s) -> {
            if (!(s >= 0 && s <= 1)) {
              throw new IllegalArgumentException(
                  "sparsity of layer '%s' must be between 0 and 1, got %s".formatted(layer, s));
            }
          });
    }
  }
}
