package io.github.secateur.prune;

import java.util.Map;

/** How a sparsity over all prunable weights is spread over the layers. */
public sealed interface Allocation {
  /** One threshold over all layers. */
  record Global() implements Allocation {}

  /** The same sparsity in every layer (uniform). */
  record PerLayer() implements Allocation {}

  /** The same sparsity in every output of every layer, as Wanda has it. */
  record PerOutput() implements Allocation {}

  /**
   * Erdős–Rényi-kernel: a layer keeps a share proportional to (out + in + kernel sizes) / (out · in
   * · kernel sizes) (RigL, Evci et al., arXiv 1911.11134, section 3, and its appendix: layers whose
   * share would pass 1 stay dense and the others take less).
   */
  record Erk() implements Allocation {}

  /**
   * Each layer loses as many weights as the LAMP score of its magnitudes would take from it under
   * one threshold for all layers (arXiv 2010.07611); which weights, the criterion says.
   */
  record Lamp() implements Allocation {}

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
