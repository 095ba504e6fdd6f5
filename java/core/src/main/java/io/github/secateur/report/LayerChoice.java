package io.github.secateur.report;

import java.util.Objects;

/**
 * How one layer runs at one batch size, and the measurement behind it.
 *
 * @param model the strategy of a cell, or a name where there is no cell; may be null
 * @param layer node name
 * @param batch samples a forward pass
 * @param sparsity pruned over all weights of this layer, 0..1
 * @param denseMicros median of the dense product, microseconds, or null
 * @param sparseMicros median of the best sparse product, microseconds, or null
 * @param sparse whether the layer runs sparse
 * @param layout name of the chosen layout, such as {@code dense} or {@code csr}
 */
public record LayerChoice(
    String model,
    String layer,
    int batch,
    double sparsity,
    Double denseMicros,
    Double sparseMicros,
    boolean sparse,
    String layout) {
  /** NaN becomes null. */
  public LayerChoice {
    Objects.requireNonNull(layer, "layer");
    denseMicros = Lists.measured(denseMicros);
    sparseMicros = Lists.measured(sparseMicros);
  }
}
