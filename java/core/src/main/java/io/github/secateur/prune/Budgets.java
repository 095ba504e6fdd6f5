package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.Samples;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Turns budgets into the sparsity that keeps them, by trial: the network as it is now is pruned
 * one-shot to one sparsity after the other, and what is left is counted or measured, of structural
 * patterns the network with the units cut out. Methods that learn their masks are tried with the
 * magnitudes of the weights under the same pattern and allocation.
 *
 * <p>A counted budget is met by the smallest sparsity that keeps it, to a single weight: under a
 * schedule or a learned mask other weights may go in the end than in the trial, which changes
 * nothing for parameters, but may for operations and bytes. Structural patterns count themselves
 * while they prune ({@link UnitPruner}) and always keep a counted budget.
 *
 * @param start the network, and what is prunable in it
 * @param samples for criteria that see the network at work
 * @param options of the run
 */
record Budgets(Device device, Start start, Samples samples, PruneOptions options) {
  /** Measurements at most: the dense network, the smallest, and steps of the bisection. */
  static final int MEASUREMENTS = 12;

  /** The network as it is, and what is prunable in it. */
  record Start(Model model, List<Layer> layers) {}

  /** A pruned network and how far it was pruned. */
  private record Trial(Model model, double sparsity) {}

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

  /**
   * The sparsity over prunable weights, 0..1; 0 where pattern or allocation decide themselves.
   *
   * @throws IllegalArgumentException when the budget cannot be reached, with the smallest value
   *     that can
   */
  double sparsity() {
    Strategy.Scored how = trial(options.strategy());
    boolean decided = decided(how);
    return switch (options.budget()) {
      case Budget.Sparsity(double s) -> s;
      case Budget.Counted _, Budget.Measured _ when decided -> 0;
      case Budget.Counted _ when how.pattern() instanceof Pattern.Neuron ->
          prune(how, options.budget(), 0).sparsity;
      case Budget.Counted counted -> counted(how, counted);
      case Budget.Measured measured -> measured(how, measured);
    };
  }

  /** {@link Strategy#decidesHowMuch}. */
  static boolean decided(Strategy strategy) {
    Strategy.Scored how = trial(strategy);
    // Gates and group lasso take no N:M; that, not the budget, is the mistake.
    boolean takesNM =
        !(strategy instanceof Strategy.Gates || strategy instanceof Strategy.GroupLasso);
    return (takesNM && how.pattern() instanceof Pattern.NM)
        || how.pattern() instanceof Pattern.Given
        || how.allocation() instanceof Allocation.Ratios;
  }

  /** What a strategy is tried with: itself, or magnitude. */
  private static Strategy.Scored trial(Strategy strategy) {
    return switch (strategy) {
      case Strategy.Scored s ->
          new Strategy.Scored(s.criterion(), s.pattern(), s.allocation(), new Schedule.OneShot());
      case Strategy.Foresight s -> s.cut();
      case Strategy.L1 s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.Gates s -> magnitude(s.pattern(), s.allocation());
      case Strategy.GroupLasso s -> magnitude(s.pattern(), s.allocation());
      case Strategy.Str _ -> magnitude(new Pattern.Unstructured(), new Allocation.Global());
      case Strategy.TopKast s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.Movement s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.Dynamic s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.LotteryTicket s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.DenseSparseDense s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.AcDc s -> magnitude(new Pattern.Unstructured(), s.allocation());
      case Strategy.LayerWise s -> magnitude(s.pattern(), s.allocation());
      case Strategy.Admm s -> magnitude(s.pattern(), s.allocation());
    };
  }

  private static Strategy.Scored magnitude(Pattern pattern, Allocation allocation) {
    return new Strategy.Scored(
        new Criterion.Magnitude(1), pattern, allocation, new Schedule.OneShot());
  }

  /** Bisects over the number of pruned weights. */
  private double counted(Strategy.Scored how, Budget.Counted budget) {
    long dense = Costs.of(start.model).dense().of(budget.unit());
    long limit = limit(budget, dense);
    long weights = Quotas.total(start.layers);
    long least = cost(how, budget.unit(), weights);
    requireReachable(budget, limit, least, dense);
    long keeps = weights;
    long passes = -1;
    while (keeps - passes > 1) {
      long middle = (keeps + passes) / 2;
      if (cost(how, budget.unit(), middle) <= limit) {
        keeps = middle;
      } else {
        passes = middle;
      }
    }
    return (double) keeps / weights;
  }

  private long cost(Strategy.Scored how, Budget.Unit unit, long pruned) {
    double sparsity = (double) pruned / Quotas.total(start.layers);
    Trial trial = prune(how, new Budget.Sparsity(sparsity), sparsity);
    return Costs.of(trial.model).present().of(unit);
  }

  /** Bisects over the sparsity; of what was measured the smallest sparsity within the limit. */
  private double measured(Strategy.Scored how, Budget.Measured budget) {
    int left = MEASUREMENTS;
    double limit = budget.limit();
    if (limit <= 1) {
      limit *= budget.cost().applyAsDouble(start.model);
      left--;
    }
    Trial best = prune(how, new Budget.Sparsity(1), 1);
    double least = measure(budget.cost(), how, best);
    left--;
    if (least > limit) {
      throw new IllegalArgumentException(
          "a budget of %.4g %s cannot be reached: with all that may go gone, it is %.4g"
              .formatted(limit, budget.name(), least));
    }
    double passes = 0;
    double keeps = 1;
    for (; left > 0; left--) {
      double middle = (passes + keeps) / 2;
      Trial trial = prune(how, new Budget.Sparsity(middle), middle);
      if (measure(budget.cost(), how, trial) <= limit) {
        keeps = middle;
        best = trial;
      } else {
        passes = middle;
      }
    }
    return best.sparsity;
  }

  private static double measure(ToDoubleFunction<Model> cost, Strategy.Scored how, Trial trial) {
    boolean structural = how.pattern() instanceof Pattern.Neuron;
    return cost.applyAsDouble(structural ? Shrinker.shrink(trial.model) : trial.model);
  }

  private Trial prune(Strategy.Scored how, Budget budget, double sparsity) {
    Model model = start.model;
    try (Parameters parameters = Parameters.upload(device, model.graph())) {
      Model pruned =
          new Pruners(model, start.layers, how, sparsity, options.with(budget))
              .once(device, new Calibration(model, parameters, samples));
      return new Trial(
          pruned,
          Census.sparsity(Census.of(start.layers, pruned.graph().initializers(), pruned.masks())));
    }
  }
}
