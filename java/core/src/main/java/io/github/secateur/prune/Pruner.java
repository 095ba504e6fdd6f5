package io.github.secateur.prune;

/**
 * One pruning step after another: score, threshold, mask, apply. Masks only shrink: what is pruned
 * already counts first toward what is asked for.
 *
 * @param <S> scores of whatever the pattern removes together
 */
abstract sealed class Pruner<S extends Pruner.Scores> permits WeightPruner, UnitPruner, MaskPruner {
  private final Schedule schedule;
  private final double target;

  /** Scores of one step, with the device memory they hold. */
  interface Scores extends AutoCloseable {
    @Override
    default void close() {}
  }

  /**
   * @param target sparsity over all prunable weights at the end of the schedule
   */
  Pruner(Schedule schedule, double target) {
    this.schedule = schedule;
    this.target = target;
  }

  /**
   * Prunes to what the schedule asks for before a training step.
   *
   * @return the sparsity asked for
   * @throws IllegalArgumentException naming weight and index of a NaN; no mask and no weight is
   *     then changed
   */
  final double step(long step, long totalSteps) {
    double sparsity = Schedules.sparsityAt(schedule, target, step, totalSteps);
    for (int round = 1; round <= rounds(); round++) {
      try (S scores = score()) {
        Quotas quotas = allocate(scores, ofRound(sparsity, round), target);
        mask(scores, quotas);
        apply();
      }
    }
    return sparsity;
  }

  /** After round r of n the kept share is (1 − sparsity)^(r/n); after the last it is exact. */
  private double ofRound(double sparsity, int round) {
    return round == rounds()
        ? sparsity
        : 1 - StrictMath.pow(1 - sparsity, (double) round / rounds());
  }

  /** How often one step scores, each time for a larger share: 1 but for SynFlow. */
  int rounds() {
    return 1;
  }

  /** Sparsity at the end of the schedule. */
  final double target() {
    return target;
  }

  /** Low scores go first. */
  abstract S score();

  /** Exact numbers to remove, by group. */
  abstract Quotas allocate(S scores, double sparsity, double target);

  /** Selects thresholds and writes masks. */
  abstract void mask(S scores, Quotas quotas);

  /** Writes +0 where masks prune. */
  abstract void apply();
}
