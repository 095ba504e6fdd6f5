package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Allocations and limits against hand-written numbers and brute force. */
class AllocatorTest {
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final Limits NONE = Limits.NONE;

  /** Weights of LeNet-300-100. */
  private static final List<Layer> LENET =
      List.of(
          new Layer("fc1", "fc1.weight", Shape.of(300, 784), 0, 1),
          new Layer("fc2", "fc2.weight", Shape.of(100, 300), 0, 1),
          new Layer("fc3", "fc3.weight", Shape.of(10, 100), 0, 1));

  /**
   * ERK by hand: dimensions sum to 1084, 400, 110. At 95 % 13310 are kept, ε = 13310 / 1594 = 8.35:
   * 9051.5, 3340.03, 918.507, and the one that is missing goes to the last. At 90 % 26620 are kept;
   * ε = 26620 / 1594 = 16.7 would keep 1837 of the 1000 of fc3, so it stays dense and ε = 25620 /
   * 1484 = 17.26: 18714.3 and 6905.7.
   */
  @Test
  void erkOfLeNetByHand() {
    Allocation erk = new Allocation.Erk();
    assertArrayEquals(new long[] {226149, 26660, 81}, Quotas.of(erk, LENET, 0.95, 0.95).k());
    assertArrayEquals(new long[] {216486, 23094, 0}, Quotas.of(erk, LENET, 0.9, 0.9).k());
    assertArrayEquals(new long[] {133100, 0, 0}, Quotas.of(erk, LENET, 0.5, 0.5).k());
    assertArrayEquals(new long[] {0, 0, 0}, Quotas.of(erk, LENET, 0, 0.9).k());
    assertArrayEquals(new long[] {235200, 30000, 1000}, Quotas.of(erk, LENET, 1, 1).k());
  }

  @Test
  void erkOnTheWayLosesTheSamePartEverywhereAndSumsExactly() {
    Allocation erk = new Allocation.Erk();
    long[] end = Quotas.of(erk, LENET, 0.95, 0.95).k();
    long[] before = new long[3];
    for (int step = 1; step <= 19; step++) {
      double sparsity = 0.05 * step;
      long[] k = Quotas.of(erk, LENET, sparsity, 0.95).k();
      assertEquals(Quotas.count(sparsity, 266200), Arrays.stream(k).sum());
      for (int i = 0; i < 3; i++) {
        assertEquals(end[i] * sparsity / 0.95, k[i], 1.01);
        assertTrue(k[i] >= before[i], "a layer gets weights back");
      }
      before = k;
    }
  }

  /** Kernel sizes count: a 3x3 convolution has dimensions 16 + 8 + 3 + 3. */
  @Test
  void erkCountsKernelSizes() {
    List<Layer> layers =
        List.of(
            new Layer("conv", "conv.weight", Shape.of(16, 8, 3, 3), 0, 1),
            new Layer("fc", "fc.weight", Shape.of(60, 30), 0, 1));
    // 1152 and 1800 weights; kept in the ratio 30 : 90 of 295 (2952 · 0.1)
    long[] k = Quotas.of(new Allocation.Erk(), layers, 0.9, 0.9).k();
    assertArrayEquals(new long[] {1152 - 74, 1800 - 221}, k);
  }

  @Test
  void aGlobalThresholdStopsAtALayersLimitAndTheOthersGiveTheRest() {
    float[] low = {1, 2, 3, 4};
    float[] high = {5, 6, 7, 8};
    float[] mixed = {0, 9, 10, 11};
    assertEquals(List.of("0000", "0111", "0111"), prune(GLOBAL, NONE, 0.5, low, high, mixed));
    Limits half = new Limits(0.5, Map.of(), 0, Set.of(), Set.of());
    assertEquals(List.of("0011", "0011", "0011"), prune(GLOBAL, half, 0.5, low, high, mixed));
    Limits first = new Limits(1, Map.of("fc1", 0.25), 0, Set.of(), Set.of());
    assertEquals(List.of("0111", "0000", "0111"), prune(GLOBAL, first, 0.5, low, high, mixed));
    Limits kept = new Limits(1, Map.of(), 1, Set.of(), Set.of());
    assertEquals(List.of("0001", "0011", "0111"), prune(GLOBAL, kept, 0.5, low, high, mixed));
    Limits frozen = new Limits(1, Map.of(), 0, Set.of(), Set.of("fc1"));
    assertEquals(List.of("1111", "0000", "0011"), prune(GLOBAL, frozen, 0.5, low, high, mixed));
  }

  @Test
  void perLayerShiftsWhatALimitHoldsBack() {
    float[] a = {1, 2, 3, 4};
    float[] b = {1, 2, 3, 4};
    Limits first = new Limits(1, Map.of("fc1", 0.25), 0, Set.of(), Set.of());
    assertEquals(List.of("0111", "0001"), prune(PER_LAYER, first, 0.5, a, b));
    Limits frozen = new Limits(1, Map.of(), 0, Set.of(), Set.of("fc2"));
    assertEquals(List.of("0000", "1111"), prune(PER_LAYER, frozen, 0.5, a, b));
    assertEquals(List.of("0000", "1111"), prune(new Allocation.Erk(), frozen, 0.5, a, b));
    assertEquals(List.of("0000", "1111"), prune(new Allocation.Lamp(), frozen, 0.5, a, b));
  }

  @Test
  void whatLimitsMakeImpossibleIsSaid() {
    Limits limits = new Limits(0.5, Map.of("fc2", 0.25), 0, Set.of(), Set.of());
    for (Allocation allocation :
        List.of(GLOBAL, PER_LAYER, new Allocation.Erk(), new Allocation.Lamp())) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  prune(
                      allocation, limits, 0.5, new float[] {1, 2, 3, 4}, new float[] {1, 2, 3, 4}));
      assertEquals(
          "the limits of the layers let 3 of 8 weights go, a sparsity of 0.3750, but 4 are to go,"
              + " 0.5000; loosen a limit or prune less",
          e.getMessage());
    }
    var ratio =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                prune(
                    new Allocation.Ratios(Map.of("fc2", 0.5)),
                    limits,
                    0.5,
                    new float[] {1, 2, 3, 4},
                    new float[] {1, 2, 3, 4}));
    assertEquals(
        "layer 'fc2' is to lose 2 of 4 weights by its ratio, but its limits let 1 go; change one of"
            + " them",
        ratio.getMessage());
  }

  @Test
  void lampTakesTheLowestScoresOfAllLayers() {
    SplittableRandom random = new SplittableRandom(3);
    float[][] weights = {new float[200], new float[40], new float[7]};
    for (int l = 0; l < 3; l++) {
      for (int i = 0; i < weights[l].length; i++) {
        weights[l][i] = (float) (random.nextGaussian() * Math.pow(30, l));
      }
    }
    List<Double> all = new ArrayList<>();
    List<List<Double>> byLayer = new ArrayList<>();
    for (float[] w : weights) {
      List<Double> scores = new ArrayList<>();
      for (float u : w) {
        double sum = 0;
        for (float v : w) {
          sum += Math.abs(v) >= Math.abs(u) ? (double) v * v : 0;
        }
        scores.add((double) u * u / sum);
      }
      all.addAll(scores);
      byLayer.add(scores);
    }
    Collections.sort(all);
    for (double sparsity : new double[] {0.1, 0.5, 0.8, 0.95}) {
      int k = (int) Quotas.count(sparsity, all.size());
      double threshold = all.get(k);
      List<String> wanted = new ArrayList<>();
      for (List<Double> scores : byLayer) {
        StringBuilder bits = new StringBuilder();
        scores.forEach(s -> bits.append(s < threshold ? '0' : '1'));
        wanted.add(bits.toString());
      }
      assertEquals(wanted, prune(new Allocation.Lamp(), NONE, sparsity, weights));
      assertEquals(wanted, prune(new Criterion.Lamp(), GLOBAL, NONE, sparsity, weights));
    }
  }

  private static List<String> prune(
      Allocation allocation, Limits limits, double sparsity, float[]... weights) {
    return prune(new Criterion.Magnitude(1), allocation, limits, sparsity, weights);
  }

  private static List<String> prune(
      Criterion criterion,
      Allocation allocation,
      Limits limits,
      double sparsity,
      float[]... weights) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    List<Layer> layers = new ArrayList<>();
    for (float[] w : weights) {
      String name = "fc" + (layers.size() + 1);
      Shape shape = Shape.of(1, w.length);
      layers.add(new Layer(name, name + ".weight", shape, 0, 1));
      tensors.put(name + ".weight", Tensor.of(shape, w));
    }
    Strategy.Scored how =
        new Strategy.Scored(
            criterion, new Pattern.Unstructured(), allocation, new Schedule.OneShot());
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        HeldSite site = new HeldSite(device, tensors, Map.of())) {
      WeightScorer.Source source = new WeightScorer.Source(site, layers, null);
      new WeightPruner(source, how, sparsity, limits, MaskRule.SECATEUR).step(0, 1);
      List<String> bits = new ArrayList<>();
      for (Layer layer : layers) {
        Mask mask = device.toHost(site.mask(layer.parameter()));
        StringBuilder text = new StringBuilder();
        for (long i = 0; i < mask.size(); i++) {
          text.append(mask.kept(i) ? '1' : '0');
        }
        bits.add(text.toString());
      }
      return bits;
    }
  }
}
