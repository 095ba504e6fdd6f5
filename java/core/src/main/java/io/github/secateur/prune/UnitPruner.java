package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Prunes whole units. They go in the order of their scores, among equal scores the higher index
 * (and the later layer) first, until the number of prunable weights that went with them is nearest
 * to the number asked for (of two equally near numbers the smaller), or, under a budget in
 * parameters, operations or bytes, until the network with the units cut out keeps it; then those
 * come back, the last gone first, that still fit, so that no unit could be added to the result. A
 * schedule spreads what a budget takes as it does sparsity. Each group keeps one unit, or what
 * {@link UnitLimits} says; graph outputs are never pruned.
 *
 * <p>Scores of different layers are compared as they are, without normalisation: Taylor and {@link
 * Criterion.NormScale} are comparable; norms of weights grow with the weights a unit has, so that a
 * global allocation under them empties narrow layers first.
 *
 * <p>Allocation: global ranks all units together; per layer takes the same fraction of units from
 * every group, by rank within the group; explicit ratios are fractions of a group's units, under
 * the name of any of its layers.
 */
final class UnitPruner extends Pruner<UnitScores> {
  private final Site site;
  private final List<UnitGroup> groups;
  private final Strategy.Scored how;
  private final Calibration calibration;
  private final int[] keep;
  private final UnitCosts costs;
  private final Goal goal;
  private final List<boolean[]> alive = new ArrayList<>();

  /**
   * What is pruned from.
   *
   * @param model the network, for what it costs
   * @param layers those whose weights count
   * @param groups their units
   * @param limits for single layers
   */
  record Network(Model model, List<Layer> layers, List<UnitGroup> groups, Limits limits) {
    /**
     * All units of a model that may go.
     *
     * @throws IllegalArgumentException when there are none, with what stands in their way
     */
    static Network of(Model model, List<Layer> layers, Limits limits) {
      List<UnitGroup> groups = UnitGroups.of(model);
      if (groups.isEmpty()) {
        throw new IllegalArgumentException(
            "the model has no hidden neurons to prune; use the unstructured pattern ("
                + String.join("; ", UnitGroups.obstacles(model))
                + ")");
      }
      return new Network(model, layers, groups, limits);
    }
  }

  /**
   * Where pruning ends.
   *
   * @param share of the cost that is to go
   * @param limit the most that may be left, where {@code budget}
   * @param budget whether the cost must not pass the limit, or should be near the share
   */
  private record Goal(double share, long limit, boolean budget) {}

  /**
   * @param goal a share of the prunable weights, or something to count; explicit ratios read none
   * @param calibration source of activations and gradients, null for criteria that need none
   * @throws IllegalArgumentException when the criterion or the allocation does not fit units, or
   *     the budget cannot be reached
   */
  UnitPruner(
      Site site, Network network, Strategy.Scored how, Budget goal, Calibration calibration) {
    this(site, network, how, calibration, prepare(network, how, goal));
  }

  /** A goal with the costs that it is about, and how many units each group keeps at least. */
  private record Prepared(Goal goal, UnitCosts costs, int[] keep) {}

  private UnitPruner(
      Site site, Network network, Strategy.Scored how, Calibration calibration, Prepared prepared) {
    super(how.schedule(), prepared.goal.share);
    this.site = site;
    this.groups = network.groups();
    this.how = how;
    this.calibration = calibration;
    this.keep = prepared.keep;
    this.costs = prepared.costs;
    this.goal = prepared.goal;
    if (how.criterion() instanceof Criterion.Activation activation) {
      Calibration.requireFit(activation.statistic(), groups);
    }
  }

  private static Prepared prepare(Network network, Strategy.Scored how, Budget budget) {
    List<UnitGroup> groups = network.groups();
    int[] keep = UnitLimits.keep(groups, network.layers(), network.limits());
    UnitCosts weights = UnitCosts.weights(groups, network.layers());
    if (how.allocation() instanceof Allocation.Ratios(Map<String, Double> ratios)) {
      return new Prepared(new Goal(ratioTarget(network, ratios), 0, false), weights, keep);
    }
    return switch (budget) {
      case Budget.Sparsity(double sparsity) ->
          new Prepared(new Goal(sparsity, 0, false), weights, keep);
      case Budget.Counted counted -> {
        UnitCosts costs = UnitCosts.of(counted.unit(), groups, network.model());
        long limit = Budgets.limit(counted, costs.dense());
        Budgets.requireReachable(counted, limit, costs.least(keep), costs.dense());
        double share = Math.max(0, 1 - (double) limit / costs.dense());
        yield new Prepared(new Goal(share, limit, true), costs, keep);
      }
      case Budget.Measured _ ->
          throw new IllegalStateException("a measured budget is turned into a sparsity first");
    };
  }

  @Override
  UnitScores score() {
    survey();
    UnitWeights weights = new UnitWeights(site, groups);
    UnitScores scores =
        switch (how.criterion()) {
          case Criterion.Magnitude(double order) -> weights.norms(order);
          case Criterion.Activation activation -> calibration.scores(groups, activation);
          case Criterion.Random(long seed) -> UnitScores.random(site.device(), groups, seed);
          case Criterion.Given given -> UnitScores.given(site, groups, given);
          case Criterion.NormScale() -> weights.normScales();
          case Criterion.GeometricMedian() -> weights.distances(alive);
          case Criterion.Snip(int samples) -> gradients().snip(samples);
          case Criterion.Taylor(int samples) -> gradients().taylor(samples);
          case Criterion.Fisher(int samples) -> gradients().fisher(samples);
          case Criterion.Grasp _ -> throw scoresWeights("GraSP");
          case Criterion.Wanda _ -> throw scoresWeights("Wanda");
          case Criterion.Lamp _ -> throw scoresWeights("LAMP");
          case Criterion.SynFlow _ -> throw scoresWeights("SynFlow");
        };
    scores.requireNumbers(groups);
    return scores;
  }

  private UnitGradients gradients() {
    return new UnitGradients(site, groups, calibration);
  }

  private static IllegalArgumentException scoresWeights(String criterion) {
    return new IllegalArgumentException(
        criterion + " scores single weights, not units; use the unstructured pattern, or Taylor");
  }

  /** Which units are there, by the masks of the weights that make them. */
  private void survey() {
    alive.clear();
    for (int g = 0; g < groups.size(); g++) {
      boolean[] units = new boolean[groups.get(g).units()];
      for (Coupling.Slice slice : groups.get(g).incoming()) {
        boolean[] there = UnitMasks.alive(site, slice, units.length);
        for (int u = 0; u < units.length; u++) {
          units[u] |= there[u];
        }
      }
      alive.add(units);
      int living = 0;
      for (boolean unit : units) {
        living += unit ? 1 : 0;
      }
      while (costs.living(g) > living) {
        costs.remove(g);
      }
      while (costs.living(g) < living) {
        costs.restore(g);
      }
    }
  }

  /** One number of weights, or cost, to remove; with ratios a number of units for each group. */
  @Override
  Quotas allocate(UnitScores scores, double sparsity, double target) {
    if (how.allocation() instanceof Allocation.Ratios(Map<String, Double> ratios)) {
      int[] own = new int[groups.size()];
      long[] k = new long[groups.size()];
      double scale = target == 0 ? 0 : sparsity / target;
      for (int g = 0; g < k.length; g++) {
        own[g] = g;
        k[g] = Quotas.count(ratio(groups.get(g), ratios) * scale, groups.get(g).units());
      }
      return new Quotas(own, k);
    }
    long whole = costs.dense();
    long wanted =
        goal.budget
            ? (long) Math.min(Math.ceil(sparsity * whole), whole - goal.limit)
            : Quotas.count(sparsity, whole);
    return new Quotas(new int[groups.size()], new long[] {wanted});
  }

  @Override
  void mask(UnitScores scores, Quotas quotas) {
    long most = costs.dense() - quotas.k()[0];
    switch (how.allocation()) {
      case Allocation.Global() -> remove(byScore(scores), most);
      case Allocation.PerLayer() -> remove(byRank(scores), most);
      case Allocation.Ratios _ -> removeByGroup(byScore(scores), quotas.k());
      case Allocation.PerOutput(), Allocation.Erk(), Allocation.Lamp() ->
          throw new IllegalArgumentException(
              how.allocation().getClass().getSimpleName()
                  + " spreads single weights, not units; use global, per layer or ratios");
    }
    for (int g = 0; g < groups.size(); g++) {
      for (Coupling.Slice slice : groups.get(g).slices()) {
        UnitMasks.prune(site, slice, alive.get(g));
      }
    }
  }

  @Override
  void apply() {
    site.applyMasks(
        groups.stream()
            .flatMap(group -> group.slices().stream())
            .map(Coupling.Slice::parameter)
            .distinct()
            .toList());
  }

  private record Unit(int group, int index, double order) {}

  private List<Unit> byScore(UnitScores scores) {
    List<Unit> units = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      for (int u = 0; u < groups.get(g).units(); u++) {
        if (alive.get(g)[u]) {
          // + 0.0: -0 and +0 are equal.
          units.add(new Unit(g, u, scores.byGroup().get(g)[u] + 0.0));
        }
      }
    }
    units.sort(
        Comparator.comparingDouble(Unit::order)
            .thenComparing(Comparator.comparingInt(Unit::group).reversed())
            .thenComparing(Comparator.comparingInt(Unit::index).reversed()));
    return units;
  }

  private List<Unit> byRank(UnitScores scores) {
    int[] gone = new int[groups.size()];
    for (int g = 0; g < gone.length; g++) {
      gone[g] = groups.get(g).units() - costs.living(g);
    }
    List<Unit> ranked = new ArrayList<>();
    for (Unit unit : byScore(scores)) {
      double rank = (double) ++gone[unit.group] / groups.get(unit.group).units();
      ranked.add(new Unit(unit.group, unit.index, rank));
    }
    ranked.sort(
        Comparator.comparingDouble(Unit::order)
            .thenComparing(Comparator.comparingInt(Unit::group).reversed()));
    return ranked;
  }

  private void remove(List<Unit> order, long most) {
    if (goal.budget) {
      removeToLimit(order, most);
    } else {
      removeToNearest(order, most);
    }
  }

  private void removeToNearest(List<Unit> order, long wanted) {
    for (Unit unit : order) {
      long before = costs.total();
      if (before <= wanted) {
        return;
      }
      if (!remove(unit)) {
        continue;
      }
      if (wanted - costs.total() >= before - wanted) {
        restore(unit);
        return;
      }
    }
  }

  private void removeToLimit(List<Unit> order, long most) {
    List<Unit> gone = new ArrayList<>();
    for (Unit unit : order) {
      if (costs.total() > most && remove(unit)) {
        gone.add(unit);
      }
    }
    for (Unit unit : gone.reversed()) {
      restore(unit);
      if (costs.total() > most) {
        remove(unit);
      }
    }
  }

  private void removeByGroup(List<Unit> order, long[] k) {
    for (Unit unit : order) {
      if (groups.get(unit.group).units() - costs.living(unit.group) < k[unit.group]) {
        remove(unit);
      }
    }
  }

  private boolean remove(Unit unit) {
    if (costs.living(unit.group) <= keep[unit.group]) {
      return false;
    }
    alive.get(unit.group)[unit.index] = false;
    costs.remove(unit.group);
    return true;
  }

  private void restore(Unit unit) {
    alive.get(unit.group)[unit.index] = true;
    costs.restore(unit.group);
  }

  /** The ratio of a group under the name of one of its layers. */
  private static double ratio(UnitGroup group, Map<String, Double> ratios) {
    double[] own =
        group.layers().stream()
            .filter(ratios::containsKey)
            .mapToDouble(ratios::get)
            .distinct()
            .toArray();
    if (own.length > 1) {
      throw new IllegalArgumentException(
          "layers %s are tied, so their units go together; give them the same ratio"
              .formatted(String.join(", ", group.layers())));
    }
    return own.length == 0 ? 0 : own[0];
  }

  private static double ratioTarget(Network network, Map<String, Double> ratios) {
    List<String> known =
        network.groups().stream().flatMap(g -> g.layers().stream()).distinct().toList();
    for (String name : ratios.keySet()) {
      if (!known.contains(name)) {
        throw new IllegalArgumentException(
            "there is no layer '%s' with neurons to prune; there are %s"
                .formatted(name, String.join(", ", known)));
      }
    }
    network.groups().forEach(group -> ratio(group, ratios));
    return ratios.isEmpty() ? 0 : Collections.max(ratios.values());
  }
}
