package io.github.secateur.report;

import io.github.secateur.sparse.Spread;
import java.util.Objects;

/**
 * Time of one forward pass of a whole network at one batch size, microseconds.
 *
 * @param model the strategy of a cell, or a name where there is no cell
 * @param sparsity the sparsity asked for of that cell, or null
 * @param batch samples a forward pass
 * @param dense the same architecture with dense weights, or null
 * @param sparse layers in the layout chosen by measurement, or null
 * @param shrunk removed units cut out of the network, or null
 * @param threads compute threads
 * @param blasCore name of the core that the BLAS library chose its kernels for, or null
 */
public record LatencyRow(
    String model,
    Double sparsity,
    long batch,
    Spread dense,
    Spread sparse,
    Spread shrunk,
    int threads,
    String blasCore) {
  /** Checks the batch size; NaN becomes null. */
  public LatencyRow {
    Objects.requireNonNull(model, "model");
    sparsity = Lists.measured(sparsity);
    if (batch < 1) {
      throw new IllegalArgumentException("batch size is at least 1, got " + batch);
    }
  }

  /** Dense over sparse median, or null where one of them is absent. */
  public Double sparseSpeedup() {
    return ratio(sparse);
  }

  /** Dense over shrunk median, or null where one of them is absent. */
  public Double shrunkSpeedup() {
    return ratio(shrunk);
  }

  private Double ratio(Spread other) {
    return dense == null || other == null ? null : Lists.measured(dense.median() / other.median());
  }
}
