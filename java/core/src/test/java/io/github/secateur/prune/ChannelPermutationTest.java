package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.Pattern.Axis;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelPermutationTest {
  private static final Pattern.NM TWO_OF_FOUR = new Pattern.NM(2, 4, Axis.INPUT, true);

  @Test
  void theOrderThatKeepsMostIsFoundInASmallMatrix() {
    // One line: the two groups of four hold 4 large and 4 small; 2:4 wants two large ones in each.
    float[] line = {9, 8, 7, 6, 1, 1, 1, 1};
    var target = new PermutationSearch.Target(line, 8, 0, 1);
    var search = new PermutationSearch(List.of(target), 8, TWO_OF_FOUR, 1);
    assertEquals(9 + 8 + 1 + 1, search.retained());
    assertEquals(9 + 8 + 7 + 6, search.bound());
    search.search();
    assertEquals(9 + 8 + 7 + 6, search.retained());
  }

  @Test
  void theRetainedMagnitudeIsThatOfTheOrder() {
    Random random = new Random(2);
    for (int round = 0; round < 60; round++) {
      int units = 1 + random.nextInt(20);
      int expansion = 1 + random.nextInt(3);
      int offset = random.nextInt(5);
      int positions = offset + units * expansion + random.nextInt(5);
      int lines = 1 + random.nextInt(6);
      int m = 2 + random.nextInt(5);
      int n = 1 + random.nextInt(m - 1);
      float[] w = new float[positions * lines];
      for (int i = 0; i < w.length; i++) {
        w[i] = (float) Math.abs(random.nextGaussian() * Math.exp(2 * random.nextGaussian()));
      }
      var target = new PermutationSearch.Target(w, positions, offset, expansion);
      var nm = new Pattern.NM(n, m, Axis.INPUT, true);
      var search = new PermutationSearch(List.of(target), units, nm, round);
      double before = search.retained();
      int[] order = search.search();
      int[] sorted = order.clone();
      Arrays.sort(sorted);
      for (int i = 0; i < units; i++) {
        assertEquals(i, sorted[i], "a permutation");
      }
      double expected = 0;
      for (int line = 0; line < lines; line++) {
        for (int first = 0; first < positions; first += m) {
          int r = Math.min(m, positions - first);
          float[] group = new float[r];
          for (int i = 0; i < r; i++) {
            int at = first + i - offset;
            boolean inside = at >= 0 && at < units * expansion;
            int from =
                inside ? offset + order[at / expansion] * expansion + at % expansion : first + i;
            group[i] = w[from * lines + line];
          }
          Arrays.sort(group);
          for (int i = r - Math.ceilDiv(r * n, m); i < r; i++) {
            expected += group[i];
          }
        }
      }
      assertEquals(expected, search.retained(), 1e-9 * expected);
      assertTrue(search.retained() >= before, "never worse");
      assertTrue(search.retained() <= search.bound() * (1 + 1e-12), "never above the bound");
      var again = new PermutationSearch(List.of(target), units, nm, round);
      assertArrayEquals(order, again.search(), "the same seed, the same order");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mlp:12-30-22-5", "lenet-5-caffe", "resnet-8"})
  void theNetworkComputesTheSameAndKeepsMore(String specification) {
    for (Axis axis : Axis.values()) {
      Model model = Networks.parse(specification, 3);
      heavyTails(model, 4);
      Pattern.NM nm = new Pattern.NM(2, 4, axis, true);
      ChannelPermutation.Result result = ChannelPermutation.apply(model, nm, 1);
      assertTrue(!result.found().isEmpty(), result.toString());
      for (ChannelPermutation.Found found : result.found()) {
        assertTrue(found.after() >= found.before(), result.toString());
        assertTrue(found.bound() >= found.after() * (1 - 1e-9), result.toString());
      }
      float[] before = outputs(model);
      float[] after = outputs(result.model());
      float most = 0;
      for (float y : before) {
        most = Math.max(most, Math.abs(y));
      }
      for (int i = 0; i < before.length; i++) {
        assertEquals(before[i], after[i], 1e-5 * Math.max(1, most), specification + " at " + i);
      }
      assertTrue(retained(result.model(), nm) >= retained(model, nm), specification);
    }
  }

  @Test
  void neverWorseOverManySeeds() {
    for (int seed = 0; seed < 30; seed++) {
      Model model = Networks.parse("mlp:9-17-12-4", seed);
      heavyTails(model, seed);
      Model reordered = ChannelPermutation.apply(model, TWO_OF_FOUR, seed).model();
      double without = retained(model, TWO_OF_FOUR);
      double with = retained(reordered, TWO_OF_FOUR);
      assertTrue(with >= without * (1 - 1e-12), "seed " + seed + ": " + with + " < " + without);
    }
  }

  @Test
  void theFirstLayerIsLeftAndSaidSo() {
    Model model = Networks.parse("mlp:12-16-4", 1);
    ChannelPermutation.Result result = ChannelPermutation.apply(model, TWO_OF_FOUR, 1);
    assertEquals(
        List.of("fc1"), result.left().stream().map(ChannelPermutation.Left::layer).toList());
    assertEquals(List.of("fc2"), result.found().getFirst().layers());
  }

  @Test
  void masksMoveWithTheirWeights() {
    Model model = Networks.parse("mlp:12-16-4", 1);
    model
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              Mask mask = Mask.ones(tensor.shape());
              for (int i = 0; i < tensor.size(); i += 3) {
                mask.set(i, false);
                tensor.setFloat(i, 0);
              }
              model.masks().put(name, mask);
            });
    Model reordered = ChannelPermutation.apply(model, TWO_OF_FOUR, 1).model();
    int moved = 0;
    for (Map.Entry<String, Mask> entry : reordered.masks().entrySet()) {
      Tensor w = reordered.graph().initializer(entry.getKey());
      assertEquals(model.masks().get(entry.getKey()).prunedCount(), entry.getValue().prunedCount());
      moved += entry.getValue().bitEquals(model.masks().get(entry.getKey())) ? 0 : 1;
      for (int i = 0; i < w.size(); i++) {
        assertTrue(entry.getValue().kept(i) || w.getFloat(i) == 0, entry.getKey());
      }
    }
    assertTrue(moved > 0);
  }

  /** Weights whose columns have very different sizes. */
  private static void heavyTails(Model model, long seed) {
    Random random = new Random(seed);
    model
        .graph()
        .initializers()
        .replaceAll(
            (name, tensor) -> {
              if (tensor.dtype() != DType.F32 || tensor.shape().rank() < 2) {
                return tensor;
              }
              Tensor copy = tensor.copy();
              long inputs = tensor.shape().dim(1);
              long inner = tensor.size() / tensor.shape().dim(0) / inputs;
              double[] scale = random.doubles(inputs, 0.2, 2).toArray();
              for (long i = 0; i < copy.size(); i++) {
                double s = scale[(int) (i / inner % inputs)];
                copy.setFloat(i, (float) (copy.getFloat(i) * s));
              }
              return copy;
            });
  }

  /** Magnitude that is left after N:M without a further order. */
  private static double retained(Model model, Pattern.NM nm) {
    Pattern.NM plain = new Pattern.NM(nm.n(), nm.m(), nm.axis(), false);
    Model pruned =
        DataFree.prune(
                model,
                new DataFree.Options(
                    new Criterion.Magnitude(Norm.L1),
                    plain,
                    new Allocation.PerLayer(),
                    Limits.NONE,
                    0))
            .model();
    double sum = 0;
    for (String parameter : pruned.masks().keySet()) {
      for (float w : ParameterPath.read(pruned, parameter).toFloats()) {
        sum += Math.abs(w);
      }
    }
    return sum;
  }

  private static float[] outputs(Model model) {
    ValueInfo x = model.graph().requiredInputs().getFirst();
    Shape shape = x.shape(3);
    Random random = new Random(9);
    Tensor input = Tensor.zeros(DType.F32, shape);
    for (int i = 0; i < input.size(); i++) {
      input.setFloat(i, random.nextFloat());
    }
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of(x.name(), shape), parameters, Executable.Mode.INFERENCE)) {
      return executable
          .run(Map.of(x.name(), input))
          .get(model.graph().outputs().getFirst().name())
          .toFloats();
    }
  }
}
