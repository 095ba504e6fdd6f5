package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.graph.Wiring;
import io.github.secateur.io.OnnxRuntimeCheck;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Networks of every wiring, their units pruned at random: the one with masks and the one with the
 * units cut out compute the same, here and in ONNX Runtime.
 */
class UnitShrinkTest {
  private static final Pattern UNITS = new Pattern.Neuron();

  @TempDir private Path folder;

  private static Model network(String name) {
    Model model =
        switch (name) {
          case "residual" -> Wiring.residual(3);
          case "joined" -> Wiring.joined(3);
          case "depthwise" -> Wiring.depthwise(3);
          case "grouped" -> Wiring.grouped(3);
          default -> Networks.parse(name, 3);
        };
    vary(model);
    return model;
  }

  /** Vectors as training leaves them: no two channels alike, biases and shifts not 0. */
  private static void vary(Model model) {
    Random random = new Random(11);
    model
        .graph()
        .initializers()
        .replaceAll(
            (name, tensor) -> {
              if (tensor.dtype() != DType.F32 || tensor.shape().rank() != 1) {
                return tensor;
              }
              Tensor other = tensor.copy();
              for (long i = 0; i < other.size(); i++) {
                float moved = other.getFloat(i) + (float) (0.3 * random.nextGaussian());
                other.setFloat(i, name.contains("var") ? 0.1f + Math.abs(moved) : moved);
              }
              return other;
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "resnet-8",
        "resnet-20:3x16x16",
        "lenet-5-caffe",
        "cnn:1x12x12:c6-m-c8k5s2b-g-12-10",
        "cnn:2x9x9:c5b-c7k5-m-11-4",
        "mlp:9-12-8-3:sigmoid",
        "residual",
        "joined",
        "depthwise",
        "grouped"
      })
  void theShrunkNetworkComputesWhatTheMaskedOneDoes(String name) throws Exception {
    Model model = network(name);
    Shape shape = model.graph().requiredInputs().getFirst().shape(3);
    Map<String, Tensor> x = Map.of("x", gaussian(shape));
    Map<String, Tensor> dense = run(model, x);
    for (double sparsity : new double[] {0.25, 0.5, 0.8, 1}) {
      for (Allocation allocation : List.of(new Allocation.Global(), new Allocation.PerLayer())) {
        Model masked =
            prune(model, new Criterion.Random((long) (100 * sparsity)), allocation, sparsity);
        Model shrunk = Shrinker.shrink(masked);
        requireShrunk(masked, shrunk);
        Map<String, Tensor> expected = run(masked, x);
        assertEquals(dense.keySet(), expected.keySet());
        OnnxRuntimeCheck.assertClose(expected, run(shrunk, x), 1e-4);
        Path file = folder.resolve("shrunk.onnx");
        OnnxWriter.write(shrunk, file);
        OnnxRuntimeCheck.assertClose(expected, OnnxRuntimeCheck.run(file, x), 1e-4);
      }
    }
  }

  /** Every pruned unit was cut, but the one that each group keeps, and nothing else. */
  private static void requireShrunk(Model masked, Model shrunk) {
    long units = 0;
    for (Coupling.Group group : Coupling.groups(masked)) {
      if (!group.prunable()) {
        continue;
      }
      Coupling.Slice slice = group.incoming().getFirst();
      Tensor before = masked.graph().initializer(slice.parameter());
      Mask mask = masked.masks().get(slice.parameter());
      long perOutput = before.size() / before.shape().dim(0);
      long kept = 0;
      for (long o = 0; o < before.shape().dim(0); o++) {
        boolean any = mask == null;
        for (long i = o * perOutput; !any && i < (o + 1) * perOutput; i++) {
          any = mask.kept(i);
        }
        kept += any ? 1 : 0;
      }
      units += before.shape().dim(0) - kept;
      assertEquals(
          kept, shrunk.graph().initializer(slice.parameter()).shape().dim(0), slice.parameter());
    }
    assertTrue(units > 0, "no unit was pruned");
    shrunk
        .masks()
        .forEach((name, mask) -> assertEquals(0, mask.prunedCount(), "left masked in " + name));
  }

  private static Tensor gaussian(Shape shape) {
    Tensor x = Tensor.zeros(DType.F32, shape);
    Random random = new Random(2);
    for (long i = 0; i < x.size(); i++) {
      x.setFloat(i, (float) random.nextGaussian());
    }
    return x;
  }

  private static Map<String, Tensor> run(Model model, Map<String, Tensor> inputs) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    inputs.forEach((name, t) -> shapes.put(name, t.shape()));
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(model, shapes, parameters, Executable.Mode.INFERENCE)) {
      return executable.run(inputs);
    }
  }

  private static Model prune(
      Model model, Criterion criterion, Allocation allocation, double sparsity) {
    Strategy.Scored how = new Strategy.Scored(criterion, UNITS, allocation, new Schedule.OneShot());
    PruneOptions options = new PruneOptions(how, sparsity, TrainOptions.adam(1, 1e-3f, 1));
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        HeldSite site = new HeldSite(device, floats(model), model.masks())) {
      new Pruners(model, Layers.trainable(model), how, sparsity, options).of(site, null).step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      pruned.masks().putAll(site.masksToHost());
      return pruned;
    }
  }

  private static Map<String, Tensor> floats(Model model) {
    Map<String, Tensor> floats = new LinkedHashMap<>(model.graph().initializers());
    floats.values().removeIf(t -> t.dtype() != DType.F32);
    return floats;
  }
}
