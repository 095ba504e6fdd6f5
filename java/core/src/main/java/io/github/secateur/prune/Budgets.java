package io.github.secateur.prune;

/** Turns budgets into the sparsity that keeps them. */
final class Budgets {
  private Budgets() {}

  /**
   * The most that may be left.
   *
   * @param dense cost of the dense model, which limits up to 1 are shares of
   */
  static long limit(Budget.Counted budget, long dense) {
    return (long) Math.floor(budget.limit() <= 1 ? budget.limit() * dense : budget.limit());
  }

  /**
   * Refuses what cannot be.
   *
   * @param least what is left when all that may go is gone
   * @throws IllegalArgumentException naming the least
   */
  static void requireReachable(Budget.Counted budget, long limit, long least, long dense) {
    if (limit < least) {
      String what =
          switch (budget.unit()) {
            case PARAMETERS -> "parameters";
            case FLOPS -> "FLOPs a sample";
            case BYTES -> "bytes";
          };
      throw new IllegalArgumentException(
          "a budget of %d %s cannot be reached: with all that may go gone, %d are left (%.3g of %d)"
              .formatted(limit, what, least, (double) least / dense, dense));
    }
  }
}
