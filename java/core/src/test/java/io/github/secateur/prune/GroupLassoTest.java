package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The group lasso: its proximal step against plain loops, and whole runs. */
class GroupLassoTest extends OnClusters {
  private static final Allocation GLOBAL = new Allocation.Global();

  private static Model dense;

  @TempDir Path folder;

  @BeforeAll
  static void train() {
    dense = Clusters.trained(device, data);
  }

  private static float[] random(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Shrinks [7, 10] in blocks of 3 x 4, cut off at both edges. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void blocksShrinkByTheirNorm(boolean adam) {
    Layer layer = new Layer("fc", "w", Shape.of(7, 10), 0, 1);
    LassoGroups groups = LassoGroups.ofBoxes(layer, Cuts.blocks(layer, new Pattern.Block(3, 4)));
    assertEquals(9, groups.count());
    float[] w = random(70, 1);
    float[] v = random(70, 2);
    for (int i = 0; i < 70; i++) {
      v[i] = v[i] * v[i];
    }
    double t = adam ? 0.5 : 0.7;
    float[] found = shrink(groups, Map.of("w", w), adam ? v : null, (float) t).get("w");
    int dead = 0;
    for (int row = 0; row < 7; row += 3) {
      for (int column = 0; column < 10; column += 4) {
        double squares = 0;
        double moments = 0;
        int size = 0;
        for (int r = row; r < Math.min(7, row + 3); r++) {
          for (int c = column; c < Math.min(10, column + 4); c++) {
            squares += (double) w[r * 10 + c] * w[r * 10 + c];
            moments += v[r * 10 + c];
            size++;
          }
        }
        double cut = t * Math.sqrt(size) / (adam ? Math.sqrt(moments / size) : 1);
        double factor = Math.max(0, 1 - cut / Math.sqrt(squares));
        dead += factor == 0 ? 1 : 0;
        for (int r = row; r < Math.min(7, row + 3); r++) {
          for (int c = column; c < Math.min(10, column + 4); c++) {
            assertEquals(factor * w[r * 10 + c], found[r * 10 + c], 1e-6);
          }
        }
      }
    }
    assertTrue(dead > 0 && dead < 9, "too plain: " + dead);
  }

  /** Tied units: axis 0 of one weight and, from place 2 on, axis 1 of another. */
  @Test
  void tiedUnitsShrinkByTheNormOverAllTheirWeights() {
    LassoGroups groups =
        new LassoGroups(
            List.of(
                new LassoGroups.Part(
                    "a",
                    Shape.of(1, 3, 5),
                    new long[3],
                    Shape.of(1, 3, 5),
                    Shape.of(1, 3, 5),
                    Shape.of(1, 3, 5),
                    Shape.of(1, 3, 1)),
                new LassoGroups.Part(
                    "b",
                    Shape.of(4, 6, 1),
                    new long[] {0, 2, 0},
                    Shape.of(4, 3, 1),
                    Shape.of(4, 3, 1),
                    Shape.of(4, 3, 1),
                    Shape.of(1, 3, 1))),
            new float[] {9, 9, 9},
            new float[] {1, 1, 1},
            Set.of("a", "b"));
    float[] a = random(15, 3);
    float[] b = random(24, 4);
    Map<String, float[]> found = shrink(groups, Map.of("a", a, "b", b), null, 1);
    for (int unit = 0; unit < 3; unit++) {
      double squares = 0;
      for (int i = 0; i < 5; i++) {
        squares += (double) a[unit * 5 + i] * a[unit * 5 + i];
      }
      for (int o = 0; o < 4; o++) {
        squares += (double) b[o * 6 + 2 + unit] * b[o * 6 + 2 + unit];
      }
      double factor = Math.max(0, 1 - 1 / Math.sqrt(squares));
      for (int i = 0; i < 5; i++) {
        assertEquals(factor * a[unit * 5 + i], found.get("a")[unit * 5 + i], 1e-6);
      }
      for (int o = 0; o < 4; o++) {
        assertEquals(factor * b[o * 6 + 2 + unit], found.get("b")[o * 6 + 2 + unit], 1e-6);
        assertEquals(b[o * 6], found.get("b")[o * 6]);
        assertEquals(b[o * 6 + 5], found.get("b")[o * 6 + 5]);
      }
    }
  }

  private static Map<String, float[]> shrink(
      LassoGroups groups, Map<String, float[]> weights, float[] moments, float t) {
    Map<String, DeviceTensor> tensors = new HashMap<>();
    Map<String, float[]> found = new HashMap<>();
    weights.forEach(
        (name, w) -> tensors.put(name, device.toDevice(Tensor.of(Shape.of(w.length), w))));
    try (DeviceTensor threshold = device.toDevice(Tensor.of(Shape.of(), t));
        DeviceTensor v =
            device.toDevice(
                moments == null
                    ? Tensor.of(Shape.of(), 0f)
                    : Tensor.of(Shape.of(moments.length), moments));
        GroupShrinkage shrinkage = new GroupShrinkage(device, groups)) {
      shrinkage.shrink(threshold, tensors::get, name -> moments == null ? null : v);
      tensors.forEach((name, tensor) -> found.put(name, device.toHost(tensor).toFloats()));
    } finally {
      tensors.values().forEach(DeviceTensor::close);
    }
    return found;
  }

  static Stream<Pattern> patterns() {
    return Stream.of(
        new Pattern.Neuron(),
        new Pattern.Block(4, 1),
        new Pattern.Block(5, 3),
        new Pattern.Line(Pattern.Axis.INPUT),
        new Pattern.Line(Pattern.Axis.OUTPUT));
  }

  @ParameterizedTest
  @MethodSource("patterns")
  void groupsEmptyNearTheTargetAndAreCutToIt(Pattern pattern) {
    Strategy how = new Strategy.GroupLasso(pattern, GLOBAL, 0.7);
    PruneOptions options = new PruneOptions(how, 0.6, Clusters.options(40));
    PruneResult result = Pruning.run(device, dense, data, options);
    assertEquals(0.6, result.reached(), 0.03);
    assertEquals(0.6, result.learned(), 0.15);
    Clusters.assertPlusZero(result.model());
    assertTrue(
        Clusters.accuracy(device, result.model(), data) > 0.9,
        "accuracy " + Clusters.accuracy(device, result.model(), data));
  }

  @Test
  void blocksResumeBitForBit() {
    Strategy how = new Strategy.GroupLasso(new Pattern.Block(5, 3), GLOBAL, 0.5);
    PruneOptions options = new PruneOptions(how, 0.6, Clusters.options(4));
    Clusters.assertResumes(
        new Pruning(device, dense, data, options),
        new Pruning(device, dense, data, options),
        folder,
        200);
  }

  @Test
  void singleWeightsAreRefused() {
    Strategy how = new Strategy.GroupLasso(new Pattern.Unstructured(), GLOBAL, 0.5);
    PruneOptions options = new PruneOptions(how, 0.6, Clusters.options(4));
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> Pruning.run(device, dense, data, options))
            .getMessage();
    assertTrue(message.contains("neurons, blocks or lines"), message);
  }
}
