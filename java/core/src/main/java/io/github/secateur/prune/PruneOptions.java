package io.github.secateur.prune;

import io.github.secateur.train.TrainOptions;
import java.util.Objects;

/**
 * What a pruning run does.
 *
 * @param strategy how
 * @param budget how much; with {@link Allocation.Ratios}, {@link Pattern.NM} and {@link
 *     Pattern.Given} the sparsity follows from those and this one is not read
 * @param limits bounds for single layers
 * @param rule counts and ties, Secateur's own unless comparing with another tool
 * @param fineTune training under the masks; its epochs are those of the whole run, sparsifying
 *     training included
 */
public record PruneOptions(
    Strategy strategy, Budget budget, Limits limits, MaskRule rule, TrainOptions fineTune) {
  /** Checks that nothing is missing. */
  public PruneOptions {
    Objects.requireNonNull(strategy);
    Objects.requireNonNull(budget);
    Objects.requireNonNull(limits);
    Objects.requireNonNull(rule);
    Objects.requireNonNull(fineTune);
  }

  /**
   * A share of the prunable weights, without limits.
   *
   * @param sparsity 0..1
   */
  public PruneOptions(Strategy strategy, double sparsity, TrainOptions fineTune) {
    this(strategy, new Budget.Sparsity(sparsity), Limits.NONE, MaskRule.SECATEUR, fineTune);
  }

  /** The same with limits. */
  public PruneOptions with(Limits other) {
    return new PruneOptions(strategy, budget, other, rule, fineTune);
  }

  /** The same with another budget. */
  public PruneOptions with(Budget other) {
    return new PruneOptions(strategy, other, limits, rule, fineTune);
  }

  /** The same with the counts and ties of a tool. */
  public PruneOptions with(MaskRule other) {
    return new PruneOptions(strategy, budget, limits, other, fineTune);
  }
}
