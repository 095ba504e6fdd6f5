package io.github.secateur.prune;

import io.github.secateur.train.TrainOptions;
import java.util.Objects;

/**
 * What a pruning run does.
 *
 * @param strategy how
 * @param sparsity pruned over prunable weights to reach, 0..1; with {@link Allocation.Ratios} and
 *     {@link Pattern.Given} the sparsity follows from those and this one is not read
 * @param fineTune training under the masks; its epochs are those of the whole run, sparsifying
 *     training included
 */
public record PruneOptions(Strategy strategy, double sparsity, TrainOptions fineTune) {
  /** Checks the ranges. */
  public PruneOptions {
    Objects.requireNonNull(strategy);
    Objects.requireNonNull(fineTune);
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw new IllegalArgumentException(
          "sparsity must be between 0 and 1, got " + sparsity + "; write 0.9 for 90 %");
    }
  }
}
