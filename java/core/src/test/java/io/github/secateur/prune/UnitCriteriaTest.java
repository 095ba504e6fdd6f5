package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Coupling.Role;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Criteria, limits and budgets of units in a residual network, against plain loops in double. */
class UnitCriteriaTest {
  private static final int COUNT = GradientSource.BATCH + 20;
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Criterion L2 = new Criterion.Magnitude(2);

  private final Model model = network();
  private final List<UnitGroup> groups = UnitGroups.of(model);

  /** ResNet-8 with normalizations as after some training. */
  private static Model network() {
    Model model = Networks.parse("resnet-8:1x8x8", 4);
    SplittableRandom random = new SplittableRandom(2);
    for (var node : model.graph().nodes()) {
      for (int i = 1; node.is("BatchNormalization") && i < 5; i++) {
        Tensor t = model.graph().initializer(node.input(i)).copy();
        for (long e = 0; e < t.size(); e++) {
          t.setFloat(e, (float) random.nextDouble(i == 2 || i == 3 ? -0.5 : 0.5, 1.5));
        }
        model.graph().initializers().put(node.input(i), t);
      }
    }
    return model;
  }

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

  private interface Use<T> {
    T of(HeldSite site, Calibration calibration);
  }

  private <T> T with(Use<T> use) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, floats(model), model.masks());
        Parameters parameters = Parameters.upload(device, model.graph())) {
      return use.of(site, new Calibration(model, parameters, samples()));
    }
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

  private UnitScores scores(Criterion criterion) {
    return with(
        (site, calibration) ->
            ((UnitPruner) pruner(site, calibration, criterion, new Budget.Sparsity(0))).score());
  }

  private Pruner<?> pruner(Site site, Calibration calibration, Criterion criterion, Budget budget) {
    return pruner(site, calibration, how(criterion, GLOBAL), options(budget, Limits.NONE));
  }

  private static Strategy.Scored how(Criterion criterion, Allocation allocation) {
    return new Strategy.Scored(criterion, new Pattern.Neuron(), allocation, new Schedule.OneShot());
  }

  private Pruner<?> pruner(
      Site site, Calibration calibration, Strategy.Scored how, PruneOptions options) {
    double sparsity = options.budget() instanceof Budget.Sparsity(double s) ? s : 0;
    return new Pruners(model, Layers.trainable(model, options.limits()), how, sparsity, options)
        .of(site, calibration);
  }

  private Model prune(Strategy.Scored how, PruneOptions options) {
    return with(
        (site, calibration) -> {
          pruner(site, calibration, how, options).step(0, 1);
          Model pruned = model.copy();
          pruned.graph().initializers().putAll(site.weightsToHost());
          pruned.masks().putAll(site.masksToHost());
          return pruned;
        });
  }

  /** Filters are along axis 0 of every incoming weight here; each unit has one of each. */
  private double[][] filters(UnitGroup group, Map<String, Tensor> tensors) {
    double[][] all = new double[group.units()][];
    for (int u = 0; u < all.length; u++) {
      List<Double> own = new ArrayList<>();
      for (var slice : group.incoming()) {
        Tensor w = tensors.get(slice.parameter());
        long size = w.size() / w.shape().dim(0);
        assertEquals(0, slice.axis());
        for (long i = u * size; i < (u + 1) * size; i++) {
          own.add((double) w.getFloat(i));
        }
      }
      all[u] = own.stream().mapToDouble(Double::doubleValue).toArray();
    }
    return all;
  }

  private interface Expected {
    double of(double[][] filters, int unit);
  }

  private void assertScores(Criterion criterion, Expected expected) {
    UnitScores scores = scores(criterion);
    for (int g = 0; g < groups.size(); g++) {
      double[][] filters = filters(groups.get(g), model.graph().initializers());
      for (int u = 0; u < filters.length; u++) {
        double e = expected.of(filters, u);
        assertEquals(e, scores.byGroup().get(g)[u], 1e-5 * e, groups.get(g).layer() + " " + u);
      }
    }
  }

  @Test
  void groupsAreTied() {
    assertTrue(groups.stream().anyMatch(g -> g.incoming().size() > 1), "no residual group");
    assertTrue(groups.stream().allMatch(g -> !g.own().isEmpty()));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2, 3, Double.POSITIVE_INFINITY})
  void norms(double order) {
    assertScores(
        new Criterion.Magnitude(order),
        (filters, unit) -> {
          double sum = 0;
          for (double w : filters[unit]) {
            sum =
                Double.isInfinite(order)
                    ? Math.max(sum, Math.abs(w))
                    : sum + Math.pow(Math.abs(w), order);
          }
          return Double.isInfinite(order) ? sum : Math.pow(sum, 1 / order);
        });
  }

  @Test
  void geometricMedianIsTheSumOfDistances() {
    assertScores(
        new Criterion.GeometricMedian(),
        (filters, unit) -> {
          double sum = 0;
          for (double[] other : filters) {
            double square = 0;
            for (int i = 0; i < other.length; i++) {
              square += Math.pow(other[i] - filters[unit][i], 2);
            }
            sum += Math.sqrt(square);
          }
          return sum;
        });
  }

  @Test
  void scalesOfNormalizationsAreAdded() {
    UnitScores scores = scores(new Criterion.NormScale());
    for (int g = 0; g < groups.size(); g++) {
      float[] own = scores.byGroup().get(g);
      for (int u = 0; u < own.length; u++) {
        double sum = 0;
        for (var slice : groups.get(g).own()) {
          if (slice.role() == Role.NORM_SCALE) {
            sum += Math.abs(model.graph().initializer(slice.parameter()).getFloat(u));
          }
        }
        assertEquals(sum, own[u], 1e-6 * sum);
      }
    }
  }

  /** Gradients of each batch's mean loss, by the source that its own tests check. */
  private List<Map<String, Tensor>> gradients(GradientSource.Options options) {
    List<String> parameters =
        groups.stream().flatMap(g -> g.incoming().stream()).map(s -> s.parameter()).toList();
    return with(
        (site, calibration) -> {
          List<Map<String, Tensor>> all = new ArrayList<>();
          List<String> distinct = parameters.stream().distinct().toList();
          try (GradientSource source = new GradientSource(calibration, distinct, options)) {
            source.forEach(
                batch -> {
                  Map<String, Tensor> host = new HashMap<>();
                  distinct.forEach(p -> host.put(p, site.device().toHost(batch.gradient(p))));
                  all.add(host);
                });
          }
          return all;
        });
  }

  private static final double[] SHARES = {
    (double) GradientSource.BATCH / COUNT, 20.0 / COUNT,
  };

  private interface Term {
    double add(double before, double w, double[] gradients);
  }

  private void assertGradientScores(Criterion criterion, List<Map<String, Tensor>> by, Term term) {
    UnitScores scores = scores(criterion);
    for (int g = 0; g < groups.size(); g++) {
      double[][] w = filters(groups.get(g), model.graph().initializers());
      List<double[][]> gradients = new ArrayList<>();
      for (Map<String, Tensor> batch : by) {
        gradients.add(filters(groups.get(g), batch));
      }
      double largest = 0;
      double[] expected = new double[w.length];
      for (int u = 0; u < w.length; u++) {
        for (int i = 0; i < w[u].length; i++) {
          double[] of = new double[by.size()];
          for (int b = 0; b < of.length; b++) {
            of[b] = gradients.get(b)[u][i];
          }
          expected[u] = term.add(expected[u], w[u][i], of);
        }
        largest = Math.max(largest, expected[u]);
      }
      for (int u = 0; u < w.length; u++) {
        assertEquals(expected[u], scores.byGroup().get(g)[u], 1e-4 * largest, g + " " + u);
      }
    }
  }

  @Test
  void snipAndFisherAddUpOverTheWeights() {
    assertGradientScores(
        new Criterion.Snip(COUNT),
        gradients(GradientSource.Options.of(COUNT).shared().training()),
        (sum, w, g) -> sum + Math.abs(w * (g[0] + g[1])));
    assertGradientScores(
        new Criterion.Fisher(COUNT),
        gradients(GradientSource.Options.of(COUNT)),
        (sum, w, g) -> sum + 0.5 * w * w * (SHARES[0] * g[0] * g[0] + SHARES[1] * g[1] * g[1]));
  }

  @Test
  void taylorSquaresTheSumOverTheWeights() {
    List<Map<String, Tensor>> by = gradients(GradientSource.Options.of(COUNT));
    UnitScores scores = scores(new Criterion.Taylor(COUNT));
    for (int g = 0; g < groups.size(); g++) {
      double[][] w = filters(groups.get(g), model.graph().initializers());
      for (int u = 0; u < w.length; u++) {
        double expected = 0;
        for (int b = 0; b < 2; b++) {
          double[] gradient = filters(groups.get(g), by.get(b))[u];
          double sum = 0;
          for (int i = 0; i < gradient.length; i++) {
            sum += w[u][i] * gradient[i];
          }
          expected += SHARES[b] * sum * sum;
        }
        assertEquals(expected, scores.byGroup().get(g)[u], 1e-6 * expected + 1e-30);
      }
    }
  }

  @Test
  void activationsAreMeansOverSamplesPlacesAndReaders() {
    UnitScores scores = scores(new Criterion.Activation(Statistic.RMS, 50));
    Graph shown = model.graph().copy();
    shown.outputs().clear();
    groups.stream()
        .flatMap(g -> g.read().stream())
        .map(s -> s.parameter())
        .distinct()
        .forEach(v -> shown.outputs().add(new ValueInfo(v, DType.F32, null, new byte[0])));
    String name = model.graph().requiredInputs().getFirst().name();
    Tensor x = Tensor.zeros(DType.F32, Shape.of(50, 1, 8, 8));
    x.data().copyFrom(samples().x().data().asSlice(0, x.byteSize()));
    Map<String, Tensor> values;
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable run =
            Executable.compile(
                model.withGraph(shown),
                Map.of(name, x.shape()),
                parameters,
                Executable.Mode.INFERENCE)) {
      values = run.run(Map.of(name, x));
    }
    for (int g = 0; g < groups.size(); g++) {
      for (int u = 0; u < groups.get(g).units(); u++) {
        double squares = 0;
        long count = 0;
        for (var slice : groups.get(g).read()) {
          Tensor value = values.get(slice.parameter());
          long channels = groups.get(g).units();
          long places = value.size() / 50 / channels;
          for (long i = 0; i < value.size(); i++) {
            if (i / places % channels == u) {
              squares += Math.pow(value.getFloat(i), 2);
              count++;
            }
          }
        }
        double rms = Math.sqrt(squares / count);
        assertEquals(rms, scores.byGroup().get(g)[u], 1e-4 * rms);
      }
    }
  }

  @Test
  void criteriaOfSingleWeightsAreRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> scores(new Criterion.Wanda(10)));
    assertEquals(
        "Wanda scores single weights, not units; use the unstructured pattern, or Taylor",
        e.getMessage());
    Model mlp = Networks.parse("mlp:4-3-2", 1);
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, floats(mlp), Map.of())) {
      UnitWeights weights = new UnitWeights(site, UnitGroups.of(mlp));
      e = assertThrows(IllegalArgumentException.class, weights::normScales);
    }
    assertTrue(e.getMessage().startsWith("the units of layer 'fc1' have no batch normalization"));
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
