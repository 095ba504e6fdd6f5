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
 * {@link UnitLimits} says; graph outputs are never pruned. Where groups keep multiples of a number,
 * as many of their units go together, in the order of the mean of their scores.
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
  private final int roundTo;
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
   * @param roundTo units of a group stay in multiples of this
   */
  record Network(
      Model model, List<Layer> layers, List<UnitGroup> groups, Limits limits, int roundTo) {
    /**
     * All units of a model that may go.
     *
     * @throws IllegalArgumentException when there are none, with what stands in their way
     */
    static Network of(Model model, List<Layer> layers, Limits limits, int roundTo) {
      List<UnitGroup> groups = UnitGroups.of(model);
      if (groups.isEmpty()) {
        throw new IllegalArgumentException(
            "the model has no hidden neurons to prune; use the unstructured pattern ("
                + String.join("; ", UnitGroups.obstacles(model))
                + ")");
      }
      return new Network(model, layers, groups, limits, roundTo);
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
    this.roundTo = network.roundTo();
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
    int[] keep = UnitLimits.keep(network);
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

  /**
   * Units of a group that go together, so that the number of those that stay is a multiple.
   *
   * @param order those of the least go first
   */
  private record Batch(int group, List<Integer> units, double order) {}

  private List<Batch> byScore(UnitScores scores) {
    List<Batch> batches = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      float[] own = scores.byGroup().get(g);
      for (List<Integer> units : batches(g, own)) {
        // + 0.0: -0 and +0 are equal.
        double mean = units.stream().mapToDouble(u -> own[u]).average().orElseThrow() + 0.0;
        batches.add(new Batch(g, units, mean));
      }
    }
    return ordered(batches);
  }

  /**
   * Living units of a group, from the one that goes first on; the first batch makes up for more.
   */
  private List<List<Integer>> batches(int group, float[] scores) {
    List<Integer> units = new ArrayList<>();
    for (int u = 0; u < scores.length; u++) {
      if (alive.get(group)[u]) {
        units.add(u);
      }
    }
    units.sort(
        Comparator.<Integer>comparingDouble(u -> scores[u] + 0.0)
            .thenComparing(Comparator.reverseOrder()));
    List<List<Integer>> batches = new ArrayList<>();
    int end = units.size() % roundTo;
    if (end > 0) {
      batches.add(units.subList(0, end));
    }
    for (; end < units.size(); end += roundTo) {
      batches.add(units.subList(end, end + roundTo));
    }
    return batches;
  }

  /** Among equals the later group first; batches of a group stay in their order. */
  private static List<Batch> ordered(List<Batch> batches) {
    batches.sort(
        Comparator.comparingDouble(Batch::order)
            .thenComparing(Comparator.comparingInt(Batch::group).reversed()));
    return batches;
  }

  private List<Batch> byRank(UnitScores scores) {
    int[] gone = new int[groups.size()];
    for (int g = 0; g < gone.length; g++) {
      gone[g] = groups.get(g).units() - costs.living(g);
    }
    List<Batch> ranked = new ArrayList<>();
    for (Batch batch : byScore(scores)) {
      gone[batch.group] += batch.units.size();
      double rank = (double) gone[batch.group] / groups.get(batch.group).units();
      ranked.add(new Batch(batch.group, batch.units, rank));
    }
    return ordered(ranked);
  }

  private void remove(List<Batch> order, long most) {
    if (goal.budget) {
      removeToLimit(order, most);
    } else {
      removeToNearest(order, most);
    }
  }

  private void removeToNearest(List<Batch> order, long wanted) {
    for (Batch batch : order) {
      long before = costs.total();
      if (before <= wanted) {
        return;
      }
      if (!remove(batch)) {
        continue;
      }
      if (wanted - costs.total() >= before - wanted) {
        restore(batch);
        return;
      }
    }
  }

  private void removeToLimit(List<Batch> order, long most) {
    List<Batch> gone = new ArrayList<>();
    for (Batch batch : order) {
      if (costs.total() > most && remove(batch)) {
        gone.add(batch);
      }
    }
    for (Batch batch : gone.reversed()) {
      restore(batch);
      if (costs.total() > most || !isRound(batch.group)) {
        remove(batch);
      }
    }
  }

  private boolean isRound(int group) {
    int living = costs.living(group);
    return living % roundTo == 0 || living == groups.get(group).units();
  }

  private void removeByGroup(List<Batch> order, long[] k) {
    for (Batch batch : order) {
      int group = batch.group;
      long left = k[group] - (groups.get(group).units() - costs.living(group));
      if (2 * left >= batch.units.size()) {
        remove(batch);
      }
    }
  }

  private boolean remove(Batch batch) {
    if (costs.living(batch.group) - batch.units.size() < keep[batch.group]) {
      return false;
    }
    for (int unit : batch.units) {
      alive.get(batch.group)[unit] = false;
      costs.remove(batch.group);
    }
    return true;
  }

  private void restore(Batch batch) {
    for (int unit : batch.units) {
      alive.get(batch.group)[unit] = true;
      costs.restore(batch.group);
    }
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
