package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Limits and budgets of units in a residual network. */
class UnitBudgetsTest {
  private static final int COUNT = GradientSource.BATCH + 20;
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Criterion L2 = new Criterion.Magnitude(2);

  private final Model model = Networks.parse("resnet-8:1x8x8", 4);
  private final List<UnitGroup> groups = UnitGroups.of(model);

  private static Samples samples() {
    SplittableRandom random = new SplittableRandom(6);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(COUNT, 1, 8, 8));
    int[] labels = new int[COUNT];
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextDouble(-1, 1));
    }
    for (int i = 0; i < COUNT; i++) {
      labels[i] = random.nextInt(10);
    }
    return new Samples(x, Tensor.ofInts(Shape.of(COUNT), labels), 10, "", "random");
  }

  private static Map<String, Tensor> floats(Model model) {
    Map<String, Tensor> floats = new HashMap<>(model.graph().initializers());
    floats.values().removeIf(t -> !t.dtype().isFloating());
    return floats;
  }

  private static PruneOptions options(Budget budget, Limits limits) {
    return new PruneOptions(Strategy.magnitude(), 0, TrainOptions.adam(1, 1e-3f, 1))
        .with(budget)
        .with(limits);
  }

  private static Strategy.Scored how(Criterion criterion, Allocation allocation) {
    return new Strategy.Scored(criterion, new Pattern.Neuron(), allocation, new Schedule.OneShot());
  }

  private Model prune(Strategy.Scored how, PruneOptions options) {
    double sparsity = options.budget() instanceof Budget.Sparsity(double s) ? s : 0;
    List<Layer> layers = Layers.trainable(model, options.limits());
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, floats(model), model.masks())) {
      new Pruners(model, layers, how, sparsity, options).of(site, null).step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      pruned.masks().putAll(site.masksToHost());
      return pruned;
    }
  }

  @Test
  void groupsAreTied() {
    assertTrue(groups.stream().anyMatch(g -> g.incoming().size() > 1), "no residual group");
    assertTrue(groups.stream().allMatch(g -> !g.own().isEmpty()));
  }

  @ParameterizedTest
  @EnumSource(Budget.Unit.class)
  void countedBudgetsAreKeptAndNoUnitCouldComeBack(Budget.Unit unit) {
    Budget budget = new Budget.Counted(unit, 0.5);
    Model pruned = prune(how(L2, GLOBAL), options(budget, Limits.NONE));
    long dense = Costs.of(model).dense().of(unit);
    long limit = dense / 2;
    long left = Costs.of(Shrinker.shrink(pruned)).dense().of(unit);
    assertTrue(left <= limit, left + " of " + limit);
    UnitCosts costs = UnitCosts.of(unit, groups, model);
    assertEquals(dense, costs.dense());
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, floats(pruned), pruned.masks())) {
      for (int g = 0; g < groups.size(); g++) {
        UnitGroup group = groups.get(g);
        for (boolean alive : UnitMasks.alive(site, group.incoming().getFirst(), group.units())) {
          if (!alive) {
            costs.remove(g);
          }
        }
      }
    }
    assertEquals(left, costs.total(), "what the pruner counts is what the shrunk network costs");
    for (int g = 0; g < groups.size(); g++) {
      if (costs.living(g) < groups.get(g).units()) {
        costs.restore(g);
        assertTrue(costs.total() > limit, "a unit of " + groups.get(g).layer() + " could stay");
        costs.remove(g);
      }
    }
  }

  @Test
  void impossibleBudgetsNameTheLeast() {
    Budget budget = new Budget.Counted(Budget.Unit.FLOPS, 10);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(how(L2, GLOBAL), options(budget, Limits.NONE)));
    assertTrue(
        e.getMessage()
            .startsWith("a budget of 10 FLOPs a sample cannot be reached: with all that may go"),
        e.getMessage());
  }

  @Test
  void unstructuredBudgetsAreKeptToASingleWeight() {
    for (Budget.Unit unit : Budget.Unit.values()) {
      long limit = Costs.of(model).dense().of(unit) * 2 / 5;
      PruneOptions options = options(new Budget.Counted(unit, limit), Limits.NONE);
      List<Layer> layers = Layers.trainable(model);
      try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
        double sparsity =
            new Budgets(device, new Budgets.Start(model, layers), samples(), options).sparsity();
        long k = Quotas.count(sparsity, Quotas.total(layers));
        assertTrue(cost(device, layers, k, unit) <= limit, unit + " passes the limit");
        assertTrue(cost(device, layers, k - 1, unit) > limit, unit + " could keep more");
      }
    }
  }

  private long cost(Device device, List<Layer> layers, long k, Budget.Unit unit) {
    double sparsity = (double) k / Quotas.total(layers);
    PruneOptions options = options(new Budget.Sparsity(sparsity), Limits.NONE);
    Strategy.Scored how = (Strategy.Scored) Strategy.magnitude();
    Strategy.Scored once =
        new Strategy.Scored(how.criterion(), how.pattern(), GLOBAL, new Schedule.OneShot());
    try (HeldSite site = new HeldSite(device, floats(model), Map.of())) {
      new Pruners(model, layers, once, sparsity, options).of(site, null).step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      return Costs.of(pruned).present().of(unit);
    }
  }

  @Test
  void measuredBudgetsTakeFewMeasurements() {
    int[] measured = {0};
    Budget budget =
        new Budget.Measured(
            "FLOPs",
            0.5,
            m -> {
              measured[0]++;
              return Costs.of(m).dense().flops();
            });
    PruneOptions options =
        new PruneOptions(how(L2, GLOBAL), 0, TrainOptions.adam(1, 1e-3f, 1)).with(budget);
    double sparsity;
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      Budgets.Start start = new Budgets.Start(model, Layers.trainable(model));
      sparsity = new Budgets(device, start, samples(), options).sparsity();
    }
    assertTrue(measured[0] <= Budgets.MEASUREMENTS, measured[0] + " measurements");
    Model pruned = prune(how(L2, GLOBAL), options(new Budget.Sparsity(sparsity), Limits.NONE));
    double share =
        (double) Costs.of(Shrinker.shrink(pruned)).dense().flops()
            / Costs.of(model).dense().flops();
    assertTrue(share <= 0.5 && share > 0.4, "share " + share);
  }

  @Test
  void limitsHoldForEveryLayer() {
    String first = groups.get(0).layer();
    String second = groups.get(1).layer();
    Limits limits = new Limits(0.75, Map.of(second, 0.25), 2, Set.of(first), Set.of());
    Model pruned = prune(how(L2, GLOBAL), options(new Budget.Sparsity(1), limits));
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, floats(pruned), pruned.masks())) {
      for (UnitGroup group : groups) {
        int alive = 0;
        for (boolean a : UnitMasks.alive(site, group.incoming().getFirst(), group.units())) {
          alive += a ? 1 : 0;
        }
        int expected = group.units() / 4;
        expected = group.layers().contains(second) ? group.units() * 3 / 4 : expected;
        expected = group.layers().contains(first) ? group.units() : expected;
        assertEquals(expected, alive, group.layer());
      }
    }
  }

  @Test
  void tiedLayersNeedTheSameRatio() {
    UnitGroup tied = groups.stream().filter(g -> g.layers().size() > 1).findFirst().orElseThrow();
    Map<String, Double> ratios = Map.of(tied.layers().get(0), 0.5, tied.layers().get(1), 0.25);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                prune(
                    how(L2, new Allocation.Ratios(ratios)),
                    options(new Budget.Sparsity(0), Limits.NONE)));
    assertTrue(e.getMessage().endsWith("give them the same ratio"), e.getMessage());
  }
}
