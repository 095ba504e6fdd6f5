package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Single weights against masks worked out by hand; 1 is kept, 0 pruned. */
class WeightPrunerTest {
  private static final float NAN = Float.NaN;
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final Criterion MAGNITUDE = new Criterion.Magnitude(Norm.L1);

  @Test
  void globalMagnitudeRanksAllLayersTogether() {
    var weights = weights(new float[] {0.1f, -3, 2, -0.4f}, new float[] {0.2f, 0.3f, -5, 6});
    assertEquals(List.of("0110", "0011"), prune(weights, MAGNITUDE, GLOBAL, 0.5));
    assertEquals(
        List.of("0110", "0011"), prune(weights, new Criterion.Magnitude(Norm.L2), GLOBAL, 0.5));
  }

  @Test
  void perLayerTakesTheSameFractionOfEach() {
    var weights = weights(new float[] {0.1f, -0.3f, 0.2f, -0.4f}, new float[] {5, 6, -7, 8});
    assertEquals(List.of("0101", "0011"), prune(weights, MAGNITUDE, PER_LAYER, 0.5));
  }

  @Test
  void ratiosLeaveOtherLayersDense() {
    var weights = weights(new float[] {0.1f, -0.3f, 0.2f, -0.4f}, new float[] {5, 6, -7, 8});
    Allocation ratios = new Allocation.Ratios(Map.of("fc2", 0.75));
    assertEquals(List.of("1111", "0001"), prune(weights, MAGNITUDE, ratios, 0.1));
  }

  @Test
  void amongEqualScoresTheLowerIndexIsKept() {
    var weights = weights(new float[] {1, -1, 1, 1}, new float[] {1, 1, -1, 1});
    assertEquals(List.of("1111", "0000"), prune(weights, MAGNITUDE, GLOBAL, 0.5));
    assertEquals(List.of("1100", "1100"), prune(weights, MAGNITUDE, PER_LAYER, 0.5));
  }

  @Test
  void minusZeroTiesWithZeroAndPrunedWeightsAreExactlyPlusZero() {
    var weights = weights(new float[] {-0f, 0f, -0f, 1});
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      pruner(site, weights, MAGNITUDE, GLOBAL, 0.5).step(0, 1);
      assertEquals("1001", bits(site.masksToHost().get("fc1.weight")));
      float[] after = site.weightsToHost().get("fc1.weight").toFloats();
      assertEquals(List.of(0x80000000, 0, 0, Float.floatToRawIntBits(1)), rawBits(after));
    }
  }

  @Test
  void nothingAndEverythingCanBePruned() {
    var weights = weights(new float[] {1, 2, 3, 4});
    assertEquals(List.of("1111"), prune(weights, MAGNITUDE, GLOBAL, 0));
    assertEquals(List.of("0000"), prune(weights, MAGNITUDE, GLOBAL, 1));
  }

  @Test
  void infinitiesRankLast() {
    var weights = weights(new float[] {Float.NEGATIVE_INFINITY, 2, 3, Float.MAX_VALUE});
    assertEquals(List.of("1000"), prune(weights, MAGNITUDE, GLOBAL, 0.75));
  }

  @Test
  void aNaNIsNamedAndNothingChanges() {
    var weights = weights(new float[] {1, 2, 3, 4}, new float[] {1, 2, NAN, 4});
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> pruner(site, weights, MAGNITUDE, GLOBAL, 0.5).step(0, 1));
      assertEquals(
          "weight 'fc2.weight' [4] is NaN at index 2; no weight was changed", e.getMessage());
      site.weightsToHost().forEach((n, t) -> assertTrue(t.bitEquals(weights.get(n))));
      site.masksToHost().forEach((n, m) -> assertEquals(0, m.prunedCount()));
    }
  }

  @Test
  void whatIsPrunedAlreadyCountsFirstWhateverItsScore() {
    var weights = weights(new float[] {9, 1, 2, 3});
    Mask before = Mask.ones(Shape.of(4));
    before.set(0, false);
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of("fc1.weight", before))) {
      pruner(site, weights, MAGNITUDE, GLOBAL, 0.5).step(0, 1);
      assertEquals("0011", bits(site.masksToHost().get("fc1.weight")));
      pruner(site, weights, MAGNITUDE, GLOBAL, 0.25).step(0, 1);
      assertEquals("0011", bits(site.masksToHost().get("fc1.weight")));
    }
  }

  @Test
  void givenScoresAreSigned() {
    var weights = weights(new float[] {1, 1, 1, 1});
    var given = new Criterion.Given(weights(new float[] {-5, 3, 0, -1}));
    assertEquals(List.of("0110"), prune(weights, given, GLOBAL, 0.5));
  }

  @Test
  void missingAndMisshapenScoresAreNamed() {
    var weights = weights(new float[] {1, 1, 1, 1});
    var none = new Criterion.Given(Map.of());
    var e = assertThrows(IllegalArgumentException.class, () -> prune(weights, none, GLOBAL, 0.5));
    assertTrue(e.getMessage().contains("no scores for weight 'fc1.weight'"), e.getMessage());
    var small = new Criterion.Given(Map.of("fc1.weight", Tensor.of(Shape.of(1), 1)));
    e = assertThrows(IllegalArgumentException.class, () -> prune(weights, small, GLOBAL, 0.5));
    assertTrue(e.getMessage().contains("should be F32 [4]"), e.getMessage());
  }

  @Test
  void activationNeedsTheNeuronPattern() {
    var weights = weights(new float[] {1, 1, 1, 1});
    var activation = new Criterion.Activation(Statistic.RMS, 10);
    var e =
        assertThrows(IllegalArgumentException.class, () -> prune(weights, activation, GLOBAL, 0.5));
    assertTrue(e.getMessage().endsWith("use the neuron pattern"), e.getMessage());
  }

  @Test
  void randomRepeatsWithItsSeedAndMasksAreNested() {
    var weights = weights(new float[1000], new float[500]);
    List<String> half = prune(weights, new Criterion.Random(7), GLOBAL, 0.5);
    assertEquals(half, prune(weights, new Criterion.Random(7), GLOBAL, 0.5));
    List<String> most = prune(weights, new Criterion.Random(7), GLOBAL, 0.9);
    assertTrue(!half.equals(prune(weights, new Criterion.Random(8), GLOBAL, 0.5)));
    assertEquals(1500 - 1350, String.join("", most).chars().filter(c -> c == '1').count());
    for (int i = 0; i < 1000; i++) {
      assertTrue(most.get(0).charAt(i) <= half.get(0).charAt(i));
    }
  }

  @Test
  void givenMasksShrinkWhatThereIs() {
    var weights = weights(new float[] {1, 2, 3, 4});
    Mask before = mask("0111");
    Mask given = mask("1101");
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of("fc1.weight", before))) {
      var pattern = new Pattern.Given(Map.of("fc1.weight", given));
      new MaskPruner(site, layers(weights), pattern, new Schedule.OneShot()).step(0, 1);
      assertEquals("0101", bits(site.masksToHost().get("fc1.weight")));
      assertEquals(
          List.of(0f, 2f, 0f, 4f), floats(site.weightsToHost().get("fc1.weight").toFloats()));
    }
  }

  @Test
  void givenMasksMustFit() {
    var weights = weights(new float[] {1, 2, 3, 4});
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      var unknown = new Pattern.Given(Map.of("fc7.weight", mask("1")));
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new MaskPruner(site, layers(weights), unknown, new Schedule.OneShot()));
      assertTrue(e.getMessage().contains("'fc7.weight'"), e.getMessage());
      var small = new Pattern.Given(Map.of("fc1.weight", mask("1")));
      e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new MaskPruner(site, layers(weights), small, new Schedule.OneShot()));
      assertTrue(e.getMessage().contains("should be over [4], got [1]"), e.getMessage());
    }
  }

  @Test
  void masksOnlyShrinkAndCountExactly() {
    Random random = new Random(1);
    for (int t = 0; t < 60; t++) {
      float[] w = new float[1 + random.nextInt(40)];
      for (int i = 0; i < w.length; i++) {
        float any = Float.intBitsToFloat(random.nextInt());
        w[i] = Float.isNaN(any) || random.nextInt(4) == 0 ? 0 : any;
      }
      masksOnlyShrinkAndCountExactly(w, random.ints(1 + random.nextInt(5), 0, 101).toArray());
    }
  }

  private void masksOnlyShrinkAndCountExactly(float[] w, int[] percents) {
    var weights = weights(w);
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      String before = "1".repeat(w.length);
      long pruned = 0;
      for (int percent : percents) {
        pruner(site, weights, MAGNITUDE, GLOBAL, percent / 100.0).step(0, 1);
        Mask now = site.masksToHost().get("fc1.weight");
        pruned = Math.max(pruned, Quotas.count(percent / 100.0, w.length));
        assertEquals(pruned, now.prunedCount());
        for (int i = 0; i < w.length; i++) {
          assertTrue(bits(now).charAt(i) <= before.charAt(i));
        }
        before = bits(now);
      }
    }
  }

  private static Device cpu() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  private static Map<String, Tensor> weights(float[]... values) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    for (int i = 0; i < values.length; i++) {
      weights.put("fc" + (i + 1) + ".weight", Tensor.of(Shape.of(values[i].length), values[i]));
    }
    return weights;
  }

  private static List<Layer> layers(Map<String, Tensor> weights) {
    return weights.entrySet().stream()
        .map(
            e ->
                new Layer(
                    e.getKey().replace(".weight", ""), e.getKey(), e.getValue().shape(), 0, 1))
        .toList();
  }

  private static WeightPruner pruner(
      HeldSite site,
      Map<String, Tensor> weights,
      Criterion criterion,
      Allocation allocation,
      double sparsity) {
    Strategy.Scored how =
        new Strategy.Scored(
            criterion, new Pattern.Unstructured(), allocation, new Schedule.OneShot());
    return new WeightPruner(
        new WeightScorer.Source(site, layers(weights), null),
        how,
        sparsity,
        Limits.NONE,
        MaskRule.SECATEUR);
  }

  private static List<String> prune(
      Map<String, Tensor> weights, Criterion criterion, Allocation allocation, double sparsity) {
    try (Device device = cpu();
        HeldSite site = new HeldSite(device, weights, Map.of())) {
      pruner(site, weights, criterion, allocation, sparsity).step(0, 1);
      Map<String, Mask> masks = site.masksToHost();
      return weights.keySet().stream().map(n -> bits(masks.get(n))).toList();
    }
  }

  private static Mask mask(String bits) {
    Mask mask = Mask.zeros(Shape.of(bits.length()));
    for (int i = 0; i < bits.length(); i++) {
      mask.set(i, bits.charAt(i) == '1');
    }
    return mask;
  }

  private static String bits(Mask mask) {
    StringBuilder text = new StringBuilder();
    for (long i = 0; i < mask.size(); i++) {
      text.append(mask.kept(i) ? '1' : '0');
    }
    return text.toString();
  }

  private static List<Integer> rawBits(float[] values) {
    return floats(values).stream().map(Float::floatToRawIntBits).toList();
  }

  private static List<Float> floats(float[] values) {
    List<Float> list = new ArrayList<>();
    for (float v : values) {
      list.add(v);
    }
    return list;
  }
}
