package io.github.secateur.reproduce;

/**
 * What a row came to under one seed.
 *
 * @param row its name
 * @param seed of everything random
 * @param errorPercent on the test samples, after the last epoch
 * @param lowestErrorPercent the lowest on them after any epoch of fine-tuning, null where the row
 *     does not ask for it
 * @param sparsity pruned over prunable weights
 * @param epochs of all training
 * @param seconds it took, NaN on a simulated device
 */
public record Outcome(
    String row,
    long seed,
    double errorPercent,
    Double lowestErrorPercent,
    double sparsity,
    int epochs,
    double seconds) {
  /** The error by a measure. */
  double error(Table.Measure measure) {
    return measure == Table.Measure.LOWEST ? lowestErrorPercent : errorPercent;
  }
}
