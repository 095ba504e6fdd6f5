package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.TrainOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole neurons of small networks. */
class UnitPrunerTest {
  private static final Criterion L2 = new Criterion.Magnitude(Norm.L2);
  private static final Allocation GLOBAL = new Allocation.Global();

  /** 2 inputs, 4 hidden units, 1 output: 12 weights, 3 a unit. */
  private static Model small(float... incoming) {
    Model model = Networks.parse("mlp:2-4-1", 1);
    Map<String, Tensor> weights = model.graph().initializers();
    weights.put("fc1.weight", Tensor.of(Shape.of(4, 2), incoming));
    weights.put("fc1.bias", Tensor.of(Shape.of(4), 1, 2, 3, 4));
    weights.put("fc2.weight", Tensor.of(Shape.of(1, 4), 5, 6, 7, 8));
    return model;
  }

  @Test
  void aUnitGoesWithItsWeightsItsBiasAndItsReaders() {
    Model pruned = prune(small(3, 4, 0.1f, 0, 1, 1, 2, 2), L2, GLOBAL, 0.25); // 3 of 12
    assertMask(pruned, "fc1.weight", "11001111");
    assertMask(pruned, "fc1.bias", "1011");
    assertMask(pruned, "fc2.weight", "1011");
    assertEquals(0, pruned.graph().initializer("fc1.bias").getFloat(1));
    assertEquals(0, pruned.graph().initializer("fc2.weight").getFloat(1));
    assertTrue(!pruned.masks().containsKey("fc2.bias"));
  }

  @Test
  void ofTwoEquallyNearCountsTheSmallerIsTaken() {
    // 2 weights a unit, 8 in all: 1 lies between 0 and 2, 3 between 2 and 4.
    Model model = Networks.parse("mlp:1-4-1", 1);
    model.graph().initializers().put("fc1.weight", Tensor.of(Shape.of(4, 1), 1, 2, 3, 4));
    assertMask(prune(model, L2, GLOBAL, 0.125), "fc1.bias", "1111");
    assertMask(prune(model, L2, GLOBAL, 0.375), "fc1.bias", "0111");
  }

  /** Units are worth 3 weights of 12: the nearest number is taken. */
  @ParameterizedTest
  @CsvSource({"0, 0", "0.1, 0", "0.15, 3", "0.5, 6", "0.6, 6", "0.63, 9", "0.9, 9", "1, 9"})
  void theNearestCountIsTaken(double sparsity, long pruned) {
    Model model = prune(small(4, 4, 1, 1, 3, 3, 2, 2), L2, GLOBAL, sparsity);
    List<LayerSparsity> counts =
        Census.of(Layers.trainable(model), model.graph().initializers(), model.masks());
    assertEquals(pruned, counts.stream().mapToLong(LayerSparsity::pruned).sum());
  }

  @Test
  void amongEqualScoresTheLowerIndexIsKept() {
    assertMask(prune(small(1, 1, 1, 1, 1, 1, 1, 1), L2, GLOBAL, 0.5), "fc1.bias", "1100");
  }

  @Test
  void normsDiffer() {
    Model model = small(3, 3, 0, 5, 9, 9, 9, 9); // L1: 6, 5; L2: 4.2, 5
    assertMask(prune(model, new Criterion.Magnitude(Norm.L1), GLOBAL, 0.25), "fc1.bias", "1011");
    assertMask(prune(model, L2, GLOBAL, 0.25), "fc1.bias", "0111");
  }

  @Test
  void givenScoresAreOneAUnit() {
    Criterion given =
        new Criterion.Given(Map.of("fc1.weight", Tensor.of(Shape.of(4), 1, -2, 0, 5)));
    assertMask(prune(small(new float[8]), given, GLOBAL, 0.5), "fc1.bias", "1001");
  }

  @Test
  void ratiosAreFractionsOfUnits() {
    Allocation ratios = new Allocation.Ratios(Map.of("fc1", 0.75));
    assertMask(prune(small(4, 4, 1, 1, 3, 3, 2, 2), L2, ratios, 0.1), "fc1.bias", "1000");
    Allocation unknown = new Allocation.Ratios(Map.of("fc2", 0.5));
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> prune(small(new float[8]), L2, unknown, 0.1));
    assertEquals("there is no layer 'fc2' with neurons to prune; there are fc1", e.getMessage());
  }

  @Test
  void perLayerTakesTheSameFractionOfUnits() {
    Model model = Networks.parse("mlp:4-8-16-3", 3);
    Tensor big = Tensor.of(Shape.of(8, 4), new float[32]);
    for (int i = 0; i < 32; i++) {
      big.setFloat(i, 100 + i);
    }
    model.graph().initializers().put("fc1.weight", big);
    Model pruned = prune(model, L2, new Allocation.PerLayer(), 0.6);
    long first = pruned.masks().get("fc1.bias").prunedCount();
    long second = pruned.masks().get("fc2.bias").prunedCount();
    assertTrue(first > 0 && Math.abs(first - second / 2.0) <= 1, first + " and " + second);
  }

  /** Of 20 units the first 4 to go make up for the odd number, then 8 at a time; one 8 stays. */
  @ParameterizedTest
  @CsvSource({"0.05, 20", "0.15, 16", "0.3, 16", "0.5, 8", "1, 8"})
  void unitsAreKeptInMultiples(double sparsity, int kept) {
    Model model = Networks.parse("mlp:6-20-3", 5);
    Mask mask = inMultiples(model, 8, new Budget.Sparsity(sparsity)).masks().get("fc1.bias");
    assertEquals(kept, mask.keptCount());
    Mask best = prune(model, L2, GLOBAL, 1 - kept / 20.0).masks().get("fc1.bias");
    assertTrue(best.bitEquals(mask), "the best stay, as without multiples");
  }

  /** What a budget leaves over must not bring back a batch that would make an odd number. */
  @Test
  void aBudgetLeavesMultiples() {
    Model model = Networks.parse("mlp:30-44-20-10", 5);
    for (double share : new double[] {0.9, 0.7, 0.5, 0.3}) {
      Model pruned = inMultiples(model, 8, new Budget.Counted(Budget.Unit.FLOPS, share));
      for (String layer : List.of("fc1", "fc2")) {
        Mask mask = pruned.masks().get(layer + ".bias");
        long kept = mask.keptCount();
        assertTrue(kept % 8 == 0 || kept == mask.size(), layer + " keeps " + kept);
      }
      long dense = Costs.of(model).dense().of(Budget.Unit.FLOPS);
      assertTrue(Costs.of(Shrinker.shrink(pruned)).dense().of(Budget.Unit.FLOPS) <= share * dense);
    }
  }

  @Test
  void absurdMultiplesAreRefused() {
    var e = assertThrows(IllegalArgumentException.class, () -> new Pattern.Neuron(0));
    assertEquals(
        "units cannot be kept in multiples of 0; wanted 1 to 1024, such as 8", e.getMessage());
  }

  @Test
  void aNaNNamesLayerAndUnitAndChangesNothing() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(small(1, 1, 1, 1, Float.NaN, 1, 1, 1), L2, GLOBAL, 0.5));
    assertTrue(e.getMessage().startsWith("the score of unit 2 of layer 'fc1' is NaN"));
  }

  @Test
  void activationStatisticsAreThoseOfTheTrainingSamples() {
    // Units after Relu over x = (1, 0), (0, 1): 3 1 | 0 2 | 5 0 | 0 0.
    Model model = small(3, 1, -1, 2, 5, -5, -1, -1);
    model.graph().initializers().put("fc1.bias", Tensor.of(Shape.of(4), 0, 0, 0, 0));
    // mean 2 1 2.5 0; rms 2.2 1.4 3.5 0; fraction not zero 1 .5 .5 0
    assertMask(
        prune(model, new Criterion.Activation(Statistic.MEAN, 2), GLOBAL, 0.5), "fc1.bias", "1010");
    assertMask(
        prune(model, new Criterion.Activation(Statistic.RMS, 2), GLOBAL, 0.25), "fc1.bias", "1110");
    assertMask(
        prune(model, new Criterion.Activation(Statistic.ONE_MINUS_APOZ, 2), GLOBAL, 0.5),
        "fc1.bias",
        "1100");
    // Of the first sample alone: 3 0 5 0.
    assertMask(
        prune(model, new Criterion.Activation(Statistic.MEAN_ABS, 1), GLOBAL, 0.75),
        "fc1.bias",
        "0010");
  }

  @Test
  void apozAndTheSignedMeanAreRefusedWhereTheySayNothing() {
    Model tanh = Networks.parse("mlp:2-4-1:tanh", 1);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(tanh, new Criterion.Activation(Statistic.ONE_MINUS_APOZ, 2), GLOBAL, 0.5));
    assertTrue(e.getMessage().contains("followed by Tanh, which has none"), e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(tanh, new Criterion.Activation(Statistic.MEAN, 2), GLOBAL, 0.5));
    assertTrue(e.getMessage().contains("only after Relu"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"relu", "tanh", "sigmoid", "gelu", "leaky-relu"})
  void theShrunkNetworkComputesWhatTheMaskedOneDoes(String activation) {
    Model model = Networks.parse("mlp:12-20-16-5:" + activation, 5);
    Model masked = prune(model, L2, GLOBAL, 0.6);
    Model shrunk = Shrinker.shrink(masked);
    long units = shrunk.graph().initializer("fc1.bias").size();
    assertEquals(masked.masks().get("fc1.bias").keptCount(), units);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(30, 12));
    for (int i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) Math.sin(i));
    }
    try (Device device = cpu()) {
      float[] a = Evaluator.predict(device, masked, x).toFloats();
      float[] b = Evaluator.predict(device, shrunk, x).toFloats();
      for (int i = 0; i < a.length; i++) {
        assertEquals(a[i], b[i], 1e-5);
      }
    }
  }

  @Test
  void unitsAlreadyGoneCountFirst() {
    Model once = prune(small(4, 4, 1, 1, 3, 3, 2, 2), L2, GLOBAL, 0.25);
    assertMask(once, "fc1.bias", "1011");
    Criterion other = new Criterion.Given(Map.of("fc1.weight", Tensor.of(Shape.of(4), 0, 9, 1, 2)));
    assertMask(prune(once, other, GLOBAL, 0.5), "fc1.bias", "0011");
    assertMask(prune(once, other, GLOBAL, 0.25), "fc1.bias", "1011");
  }

  private static Device cpu() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  private static Model prune(
      Model model, Criterion criterion, Allocation allocation, double sparsity) {
    return prune(
        model,
        new PruneOptions(
            new Strategy.Scored(
                criterion, new Pattern.Neuron(), allocation, new Schedule.OneShot()),
            sparsity,
            TrainOptions.adam(1, 1e-3f, 1)));
  }

  private static Model inMultiples(Model model, int roundTo, Budget budget) {
    Strategy how =
        new Strategy.Scored(L2, new Pattern.Neuron(roundTo), GLOBAL, new Schedule.OneShot());
    TrainOptions none = TrainOptions.adam(1, 1e-3f, 1);
    return prune(model, new PruneOptions(how, 0, none).with(budget));
  }

  private static Model prune(Model model, PruneOptions options) {
    double sparsity = options.budget() instanceof Budget.Sparsity(double share) ? share : 0;
    Tensor x = Tensor.of(Shape.of(2, 2), 1, 0, 0, 1);
    Samples samples = new Samples(x, Tensor.ofInts(Shape.of(2), 0, 0), 1, "", "two");
    Graph graph = model.graph();
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, graph.initializers(), model.masks());
        Parameters parameters = Parameters.upload(device, graph)) {
      Calibration calibration = new Calibration(model, parameters, samples);
      new Pruners(
              model,
              Layers.trainable(model),
              (Strategy.Scored) options.strategy(),
              sparsity,
              options)
          .of(site, calibration)
          .step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      pruned.masks().putAll(site.masksToHost());
      return pruned;
    }
  }

  private static void assertMask(Model model, String parameter, String bits) {
    Mask mask = model.masks().get(parameter);
    StringBuilder text = new StringBuilder();
    for (long i = 0; i < mask.size(); i++) {
      text.append(mask.kept(i) ? '1' : '0');
    }
    assertEquals(bits, text.toString(), parameter);
  }
}
