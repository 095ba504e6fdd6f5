package io.github.secateur.prune;

import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Coupling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Prunes whole units. They go in the order of their scores, among equal scores the higher index
 * (and the later layer) first, until the number of prunable weights that went with them is nearest
 * to the number asked for (of two equally near numbers the smaller). Each layer keeps one unit;
 * graph outputs are never pruned. Scores of different layers are compared as they are, without
 * normalisation.
 *
 * <p>Allocation: global ranks all units together; per layer takes the same fraction of units from
 * every layer, by rank within the layer; explicit ratios are fractions of a layer's units.
 */
final class UnitPruner extends Pruner<UnitScores> {
  private final Site site;
  private final List<Layer> layers;
  private final List<UnitGroup> groups;
  private final Strategy.Scored how;
  private final Calibration calibration;
  private final List<boolean[]> alive = new ArrayList<>();

  /** What is pruned from: the layers whose weights count, and their units. */
  record Network(List<Layer> layers, List<UnitGroup> groups) {}

  /**
   * @param sparsity asked for, over prunable weights
   * @param calibration source of activations, null for criteria that need none
   * @throws IllegalArgumentException when there is no unit that may go, or the criterion does not
   *     fit the activations
   */
  UnitPruner(
      Site site, Network network, Strategy.Scored how, double sparsity, Calibration calibration) {
    super(how.schedule(), target(network, how.allocation(), sparsity));
    this.site = site;
    this.layers = network.layers();
    this.groups = network.groups();
    this.how = how;
    this.calibration = calibration;
    if (groups.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no hidden neurons to prune; use the unstructured pattern");
    }
    if (how.criterion() instanceof Criterion.Activation activation) {
      Calibration.requireFit(activation.statistic(), groups);
    }
  }

  @Override
  UnitScores score() {
    UnitScores scores =
        switch (how.criterion()) {
          case Criterion.Magnitude(double order) ->
              UnitScores.magnitude(site, groups, order == 1 ? PruneOps.Norm.L1 : PruneOps.Norm.L2);
          case Criterion.Activation activation -> calibration.scores(groups, activation);
          case Criterion.Random(long seed) -> UnitScores.random(site.device(), groups, seed);
          case Criterion.Given given -> UnitScores.given(groups, given);
          default -> throw Unbuilt.error();
        };
    scores.requireNumbers(groups);
    return scores;
  }

  /** One group of weights; with ratios a group of units each. */
  @Override
  Quotas allocate(UnitScores scores, double sparsity, double target) {
    if (how.allocation() instanceof Allocation.Ratios(var ratios)) {
      int[] own = new int[groups.size()];
      long[] k = new long[groups.size()];
      double scale = target == 0 ? 0 : sparsity / target;
      for (int g = 0; g < k.length; g++) {
        own[g] = g;
        double ratio = ratios.getOrDefault(groups.get(g).layer(), 0.0);
        k[g] = Quotas.count(ratio * scale, groups.get(g).units());
      }
      return new Quotas(own, k);
    }
    return Quotas.of(new Allocation.Global(), layers, sparsity, target);
  }

  @Override
  void mask(UnitScores scores, Quotas quotas) {
    alive.clear();
    for (UnitGroup group : groups) {
      alive.add(UnitMasks.alive(site, group.incoming().getFirst(), group.units()));
    }
    switch (how.allocation()) {
      case Allocation.Global() -> removeToNearest(byScore(scores), quotas.k()[0]);
      case Allocation.PerLayer() -> removeToNearest(byRank(scores), quotas.k()[0]);
      case Allocation.Ratios _ -> removeByLayer(byScore(scores), quotas.k());
      default -> throw Unbuilt.error();
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
      gone[g] = groups.get(g).units() - living(g);
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

  private void removeToNearest(List<Unit> order, long wanted) {
    long pruned = prunedWeights();
    for (Unit unit : order) {
      if (pruned >= wanted) {
        return;
      }
      if (living(unit.group) == 1) {
        continue;
      }
      alive.get(unit.group)[unit.index] = false;
      long now = prunedWeights();
      if (now - wanted >= wanted - pruned) {
        alive.get(unit.group)[unit.index] = true;
        return;
      }
      pruned = now;
    }
  }

  private void removeByLayer(List<Unit> order, long[] k) {
    for (Unit unit : order) {
      int gone = groups.get(unit.group).units() - living(unit.group);
      if (gone < k[unit.group] && living(unit.group) > 1) {
        alive.get(unit.group)[unit.index] = false;
      }
    }
  }

  private int living(int group) {
    int count = 0;
    for (boolean unit : alive.get(group)) {
      count += unit ? 1 : 0;
    }
    return count;
  }

  /** Prunable weights that are gone with the units that are not alive. */
  private long prunedWeights() {
    long pruned = 0;
    for (Layer layer : layers) {
      double kept = 1;
      for (int g = 0; g < groups.size(); g++) {
        UnitGroup group = groups.get(g);
        boolean touches =
            group.incoming().stream().anyMatch(s -> s.parameter().equals(layer.parameter()));
        boolean feeds =
            group.outgoing().stream().anyMatch(s -> s.parameter().equals(layer.parameter()));
        if (touches || feeds) {
          kept *= (double) living(g) / group.units();
        }
      }
      pruned += layer.size() - Math.round(kept * layer.size());
    }
    return pruned;
  }

  private static double target(Network network, Allocation allocation, double sparsity) {
    if (allocation instanceof Allocation.Ratios(var ratios)) {
      List<String> known = network.groups().stream().map(UnitGroup::layer).toList();
      for (String name : ratios.keySet()) {
        if (!known.contains(name)) {
          throw new IllegalArgumentException(
              "there is no layer '%s' with neurons to prune; there are %s"
                  .formatted(name, String.join(", ", known)));
        }
      }
      return ratios.isEmpty() ? 0 : Collections.max(ratios.values());
    }
    return sparsity;
  }
}
