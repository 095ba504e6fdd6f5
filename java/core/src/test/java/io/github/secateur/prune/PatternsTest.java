package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.prune.Pattern.Axis;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** N:M, blocks and lines against masks worked out by hand and by sorting, over all storages. */
class PatternsTest {
  private static final Criterion L1 = new Criterion.Magnitude(Norm.L1);
  private static final Criterion L2 = new Criterion.Magnitude(Norm.L2);
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final Pattern NM_2_4 = new Pattern.NM(2, 4, Axis.INPUT, false);

  /** Gemm, MatMul, Conv, ConvTranspose and recurrent weights. */
  private static final List<Layer> STORAGES =
      List.of(
          new Layer("gemm", "gemm.w", Shape.of(9, 14), 0, 1),
          new Layer("matmul", "matmul.w", Shape.of(14, 9), 1, 0),
          new Layer("conv", "conv.w", Shape.of(5, 6, 2, 3), 0, 1),
          new Layer("transposed", "transposed.w", Shape.of(6, 5, 3, 2), 1, 0),
          new Layer("recurrent", "recurrent.w", Shape.of(2, 8, 5), 1, 2));

  @Test
  void nmKeepsTheLargestOfConsecutiveInputs() {
    Layer layer = new Layer("fc", "w", Shape.of(2, 6), 0, 1);
    assertEquals(
        "001101101010", bits(layer, NM_2_4, L1, PER_LAYER, 1, -2, 3, 4, 5, 6, 7, 1, -8, 2, 1, 1));
  }

  @Test
  void nmOfEqualWeightsKeepsTheLowerIndex() {
    Layer layer = new Layer("fc", "w", Shape.of(1, 8), 0, 1);
    assertEquals("11001100", bits(layer, NM_2_4, L1, PER_LAYER, 1, 1, 1, 1, 0, 0, 0, 0));
  }

  @Test
  void nmOfAConvolutionRunsOverChannelsAtOnePlace() {
    Layer layer = new Layer("conv", "w", Shape.of(1, 4, 1, 2), 0, 1);
    // Place 0: 1, 3, 5, 7; place 1: 8, 6, 4, 2.
    assertEquals("01011010", bits(layer, NM_2_4, L1, PER_LAYER, 1, 8, 3, 6, 5, 4, 7, 2));
  }

  @Test
  void blocksGoWhole() {
    Layer layer = new Layer("fc", "w", Shape.of(4, 4), 0, 1);
    Pattern block = new Pattern.Block(2, 2);
    // Sums 10, 9, 8, 15; by squares 100, 23, 16, 113.
    float[] w = {10, 0, 3, 2, 0, 0, 1, 3, 2, 2, 8, 0, -2, 2, 0, -7};
    assertEquals("1100110000110011", bits(layer, block, L2, PER_LAYER, w));
    assertEquals("1100110000110011", bits(layer, block, L1, PER_LAYER, w));
  }

  @Test
  void ofEqualBlocksTheLowerIsKept() {
    Layer layer = new Layer("fc", "w", Shape.of(4, 2), 0, 1);
    Pattern block = new Pattern.Block(2, 1);
    assertEquals("11110000", bits(layer, block, L1, PER_LAYER, 1, 1, 1, 1, 1, 1, 1, 1));
  }

  @Test
  void linesOfDifferentLayersCompareByTheirMean() {
    List<Layer> layers =
        List.of(
            new Layer("a", "a", Shape.of(2, 2), 0, 1), new Layer("b", "b", Shape.of(2, 6), 0, 1));
    Map<String, Tensor> w = new LinkedHashMap<>();
    w.put("a", Tensor.of(Shape.of(2, 2), 5, 5, 4, 4));
    w.put("b", Tensor.of(Shape.of(2, 6), 3, 3, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6));
    Pattern rows = new Pattern.Line(Axis.OUTPUT);
    // 8 of 16 weights: b's first row (6) and a's second (2).
    assertEquals(List.of("1100", "000000111111"), run(layers, w, rows, L1, GLOBAL, 0.5, Map.of()));
  }

  @Test
  void everyPatternAgreesWithSortingInEveryStorage() {
    Random random = new Random(1);
    for (int round = 0; round < 12; round++) {
      for (Axis axis : Axis.values()) {
        int m = 2 + random.nextInt(4);
        var nm = new Pattern.NM(1 + random.nextInt(m - 1), m, axis, false);
        check(nm, random);
        check(new Pattern.Line(axis), random);
      }
      var block = new Pattern.Block(1 + random.nextInt(4), 2 + random.nextInt(3));
      check(block, random);
    }
  }

  private static void check(Pattern pattern, Random random) {
    for (Criterion criterion : List.of(L1, L2, new Criterion.Magnitude(Double.POSITIVE_INFINITY))) {
      for (Allocation allocation : List.of(GLOBAL, PER_LAYER)) {
        double sparsity = random.nextInt(101) / 100.0;
        Map<String, Tensor> weights = new LinkedHashMap<>();
        Map<String, Mask> before = new LinkedHashMap<>();
        for (Layer layer : STORAGES) {
          Tensor w = Tensor.zeros(DType.F32, layer.shape());
          Mask mask = Mask.ones(layer.shape());
          for (int i = 0; i < w.size(); i++) {
            w.setFloat(i, (float) random.nextGaussian());
            if (random.nextInt(10) == 0) {
              mask.set(i, false);
              w.setFloat(i, 0);
            }
          }
          weights.put(layer.parameter(), w);
          if (random.nextBoolean()) {
            before.put(layer.parameter(), mask);
          }
        }
        PatternOracle oracle =
            new PatternOracle(
                STORAGES,
                STORAGES.stream().map(l -> magnitudes(weights.get(l.parameter()))).toList(),
                PatternOracle.Pooling.of(criterion),
                STORAGES.stream()
                    .map(l -> bools(before.getOrDefault(l.parameter(), Mask.ones(l.shape()))))
                    .toList());
        Quotas quotas = Quotas.of(allocation, STORAGES, sparsity, sparsity);
        List<String> expected =
            oracle.masks(pattern, quotas).stream().map(PatternsTest::text).toList();
        assertEquals(
            expected,
            run(STORAGES, weights, pattern, criterion, allocation, sparsity, before),
            "%s %s %s %s".formatted(pattern, criterion, allocation, sparsity));
      }
    }
  }

  private static double[] magnitudes(Tensor weights) {
    double[] values = new double[(int) weights.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.abs(weights.getFloat(i));
    }
    return values;
  }

  @Test
  void aGradualScheduleComesDownToNm() {
    Layer layer = new Layer("fc", "w", Shape.of(1, 8), 0, 1);
    float[] w = {1, 2, 3, 4, 8, 7, 6, 5};
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, Map.of("w", Tensor.of(layer.shape(), w)), Map.of())) {
      WeightPruner pruner =
          new WeightPruner(
              new WeightScorer.Source(site, List.of(layer), null),
              new Strategy.Scored(
                  L1,
                  new Pattern.NM(1, 4, Axis.INPUT, false),
                  PER_LAYER,
                  new Schedule.Polynomial(0, 1, 1, 1)),
              0.1,
              Limits.NONE,
              MaskRule.SECATEUR);
      assertEquals(0.75, pruner.target());
      List<String> seen = new ArrayList<>();
      for (int step = 0; step < 10; step++) {
        pruner.step(step, 10);
        String now = text(site.masksToHost().getOrDefault("w", Mask.ones(layer.shape())));
        if (seen.isEmpty() || !seen.getLast().equals(now)) {
          seen.add(now);
        }
      }
      assertEquals(List.of("11111111", "01111110", "00111100", "00011000"), seen);
    }
  }

  @Test
  void aNanIsNamedWithItsIndexAndNothingChanges() {
    for (Pattern pattern : List.of(NM_2_4, new Pattern.Block(2, 2), new Pattern.Line(Axis.INPUT))) {
      Map<String, Tensor> weights = new LinkedHashMap<>();
      List<Layer> layers =
          List.of(
              new Layer("a", "a", Shape.of(4, 4), 0, 1), new Layer("b", "b", Shape.of(4, 4), 0, 1));
      float[] w = new float[16];
      for (int i = 0; i < 16; i++) {
        w[i] = i;
      }
      weights.put("a", Tensor.of(Shape.of(4, 4), w));
      w[9] = Float.NaN;
      weights.put("b", Tensor.of(Shape.of(4, 4), w));
      try (Device device = cpu();
          HeldSite site = new HeldSite(device, weights, Map.of())) {
        WeightPruner pruner = pruner(site, layers, pattern, L1, GLOBAL, 0.5);
        var e = assertThrows(IllegalArgumentException.class, () -> pruner.step(0, 1));
        assertEquals("weight 'b' [4, 4] is NaN at index 9; no weight was changed", e.getMessage());
        site.masksToHost().forEach((n, m) -> assertEquals(0, m.prunedCount(), n));
        site.weightsToHost().forEach((n, t) -> assertTrue(t.bitEquals(weights.get(n)), n));
      }
    }
  }

  @Test
  void nothingAndEverythingCanBePrunedInBoxes() {
    Layer layer = new Layer("fc", "w", Shape.of(5, 5), 0, 1);
    Map<String, Tensor> w = Map.of("w", Tensor.of(layer.shape(), new float[25]));
    Pattern block = new Pattern.Block(4, 1);
    List<Layer> one = List.of(layer);
    assertEquals(List.of("1".repeat(25)), run(one, w, block, L1, GLOBAL, 0, Map.of()));
    assertEquals(List.of("0".repeat(25)), run(one, w, block, L1, GLOBAL, 1, Map.of()));
    Map<String, Mask> gone = Map.of("w", Mask.zeros(layer.shape()));
    assertEquals(List.of("0".repeat(25)), run(one, w, block, L1, GLOBAL, 0.5, gone));
    assertEquals(List.of("0".repeat(25)), run(one, w, NM_2_4, L1, GLOBAL, 0.5, gone));
  }

  @Test
  void givenScoresAreSignedInBoxes() {
    Layer layer = new Layer("fc", "w", Shape.of(2, 2), 0, 1);
    var given = new Criterion.Given(Map.of("w", Tensor.of(layer.shape(), -9, 1, 2, 3)));
    assertEquals("0011", bits(layer, new Pattern.Block(1, 2), given, GLOBAL, 1, 1, 1, 1));
  }

  @Test
  void patternsThatDoNotFitAreRefused() {
    Layer layer = new Layer("fc", "w", Shape.of(2, 3), 0, 1);
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> bits(layer, NM_2_4, L1, GLOBAL, 1, 2, 3, 4, 5, 6));
    assertTrue(e.getMessage().contains("no layer has 4 inputs"), e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                bits(
                    layer,
                    new Pattern.Block(2, 2),
                    new Criterion.Magnitude(3),
                    GLOBAL,
                    1,
                    2,
                    3,
                    4,
                    5,
                    6));
    assertTrue(e.getMessage().contains("order 1, 2 or infinity, got 3.0"), e.getMessage());
  }

  private static Device cpu() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  private static WeightPruner pruner(
      HeldSite site,
      List<Layer> layers,
      Pattern pattern,
      Criterion criterion,
      Allocation allocation,
      double sparsity) {
    return new WeightPruner(
        new WeightScorer.Source(site, layers, null),
        new Strategy.Scored(criterion, pattern, allocation, new Schedule.OneShot()),
        sparsity,
        Limits.NONE,
        MaskRule.SECATEUR);
  }

  private static List<String> run(
      List<Layer> layers,
      Map<String, Tensor> weights,
      Pattern pattern,
      Criterion criterion,
      Allocation allocation,
      double sparsity,
      Map<String, Mask> before) {
    try (Device device = cpu()) {
      List<String> masks = new ArrayList<>();
      try (HeldSite site = new HeldSite(device, weights, before)) {
        pruner(site, layers, pattern, criterion, allocation, sparsity).step(0, 1);
        Map<String, Mask> host = site.masksToHost();
        for (Layer layer : layers) {
          masks.add(text(host.getOrDefault(layer.parameter(), Mask.ones(layer.shape()))));
        }
      }
      assertEquals(0, device.liveBuffers());
      return masks;
    }
  }

  /** Half of a layer. */
  private static String bits(
      Layer layer, Pattern pattern, Criterion criterion, Allocation allocation, float... w) {
    Map<String, Tensor> weights = Map.of("w", Tensor.of(layer.shape(), w));
    return run(List.of(layer), weights, pattern, criterion, allocation, 0.5, Map.of()).getFirst();
  }

  private static boolean[] bools(Mask mask) {
    boolean[] kept = new boolean[(int) mask.size()];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = mask.kept(i);
    }
    return kept;
  }

  private static String text(Mask mask) {
    return text(bools(mask));
  }

  private static String text(boolean[] kept) {
    StringBuilder text = new StringBuilder();
    for (boolean k : kept) {
      text.append(k ? '1' : '0');
    }
    return text.toString();
  }
}
