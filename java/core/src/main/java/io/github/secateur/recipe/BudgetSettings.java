package io.github.secateur.recipe;

import io.github.secateur.prune.Budget;
import io.github.secateur.prune.Strategy;
import java.util.List;
import java.util.Map;

/** How much is to go, by {@code sparsity} or {@code budget}. */
final class BudgetSettings {
  private static final String BUDGETS =
      "takes params=, flops=, bytes= or latency= with what may be left: up to 1 a share of the"
          + " dense network's, above 1 a number (latency in microseconds), such as flops=0.5";

  private final Settings s;
  private final PruneSettings.Latency latency;

  /** Reads from settings; latency is null where nothing can be measured. */
  BudgetSettings(Settings settings, PruneSettings.Latency latency) {
    this.s = settings;
    this.latency = latency;
  }

  /**
   * The budget of a strategy.
   *
   * @throws RecipeException where it is missing, given twice, or has no effect
   */
  Budget read(Strategy strategy) {
    boolean budget = s.has("budget");
    boolean sparsity = s.has("sparsity");
    if (budget && sparsity) {
      throw new RecipeException(
          "%s and %s both say how much to prune; give one"
              .formatted(s.where("sparsity"), s.where("budget")));
    }
    if (strategy.decidesHowMuch()) {
      if (!budget && !sparsity) {
        return new Budget.Sparsity(0);
      }
      throw new RecipeException(
          "%s has no effect: the pattern, the masks or the ratios decide how much goes; leave it out"
              .formatted(s.where(budget ? "budget" : "sparsity")));
    }
    if (!budget && !sparsity) {
      throw new RecipeException(
          "say how much to prune: sparsity 0.9 removes 90 % of the prunable weights, budget"
              + " flops=0.5 keeps half of the multiply-adds");
    }
    return budget ? counted() : share();
  }

  private Budget share() {
    double sparsity = s.real("sparsity");
    return s.checked("sparsity", () -> new Budget.Sparsity(sparsity));
  }

  private Budget counted() {
    Map<String, Double> one = s.numbers("budget", "flops=0.5");
    String name = one.keySet().iterator().next();
    double limit = one.get(name);
    if (one.size() != 1 || !List.of("params", "flops", "bytes", "latency").contains(name)) {
      throw s.wrong("budget", BUDGETS);
    }
    if (!name.equals("latency")) {
      Budget.Unit unit =
          switch (name) {
            case "params" -> Budget.Unit.PARAMETERS;
            case "flops" -> Budget.Unit.FLOPS;
            default -> Budget.Unit.BYTES;
          };
      return s.checked("budget", () -> new Budget.Counted(unit, limit));
    }
    if (latency == null) {
      throw s.wrong("budget", "cannot be a latency here, where nothing can be measured");
    }
    int batch = s.count("budget-batch", 64, 1);
    return s.checked(
        "budget", () -> new Budget.Measured("µs at batch " + batch, limit, latency.atBatch(batch)));
  }
}
