package io.github.secateur.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.Wiring;
import io.github.secateur.io.OnnxRuntimeCheck;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random units pruned from networks of every kind of coupling: the shrunk network computes what the
 * masked one does, here and in ONNX Runtime.
 */
class CoupledNetworksTest {
  private static final int ROUNDS = 8;

  @TempDir private Path folder;

  private enum Network {
    PLAIN {
      @Override
      Model build(Wiring net, String x) {
        String c = net.node("r", "Sigmoid", net.norm("n", net.conv("c", x, 6, 3, 1), 6));
        String pooled = net.node("p", "MaxPool", List.of(c), window());
        return head(net, net.node("flat", "Flatten", pooled), 6 * 9);
      }
    },
    RESIDUAL {
      @Override
      Model build(Wiring net, String x) {
        String a = net.node("ra", "Relu", net.norm("na", net.conv("a", x, 5, 3, 1), 5));
        String b = net.node("rb", "Relu", net.norm("nb", net.conv("b", a, 7, 5, 1), 7));
        String sum = net.node("add", "Add", a, net.norm("nc", net.conv("c", b, 5, 7, 1), 5));
        String before = net.node("rd", "Relu", net.norm("nd", sum, 5));
        String last = net.node("sub", "Sub", sum, net.conv("d", before, 5, 5, 1));
        return pooled(net, last, 5);
      }
    },
    CONCAT {
      @Override
      Model build(Wiring net, String x) {
        String a = net.conv("a", x, 4, 3, 1);
        String b = net.node("rb", "Tanh", net.conv("b", x, 6, 3, 1));
        String joined = net.norm("n", net.concat("join", a, x, b), 13);
        String c = net.conv("c", joined, 5, 13, 1);
        return pooled(net, net.concat("dense", joined, c), 18);
      }
    },
    CONCAT_ADDED {
      @Override
      Model build(Wiring net, String x) {
        String joined = net.concat("join", net.conv("a", x, 4, 3, 1), net.conv("b", x, 6, 3, 1));
        return pooled(net, net.node("add", "Add", joined, net.conv("c", x, 10, 3, 1)), 10);
      }
    },
    DEPTHWISE {
      @Override
      Model build(Wiring net, String x) {
        String a = net.node("ra", "Sigmoid", net.norm("na", net.conv("a", x, 4, 3, 1), 4));
        String d = net.node("rd", "LeakyRelu", net.norm("nd", net.conv("d", a, 8, 1, 4), 8));
        return pooled(net, net.conv("e", d, 5, 8, 1), 5);
      }
    },
    GROUPED {
      @Override
      Model build(Wiring net, String x) {
        String a = net.node("ra", "Relu", net.conv("a", x, 6, 3, 1));
        String g = net.norm("ng", net.conv("g", a, 9, 2, 3), 9);
        return pooled(net, g, 9);
      }
    },
    SQUEEZE_EXCITE {
      @Override
      Model build(Wiring net, String x) {
        String c = net.conv("c", x, 6, 3, 1);
        Map<String, Attribute> mean =
            Map.of("axes", Wiring.ints(2, 3), "keepdims", new Attribute.Int(1));
        String pooled = net.node("mean", "ReduceMean", List.of(c), mean);
        String gate = net.node("s", "Sigmoid", net.conv("g", pooled, 6, 6, 1));
        return pooled(net, net.node("scaled", "Mul", c, gate), 6);
      }
    },
    RESHAPE {
      @Override
      Model build(Wiring net, String x) {
        String c = net.node("r", "Relu", net.conv("c", x, 6, 3, 1));
        String flat = net.node("flat", "Reshape", c, net.sizes("shape", -1, 6 * 36));
        String fc = net.node("rg", "Relu", net.gemm("g", flat, 20, 6 * 36));
        String image = net.node("image", "Reshape", fc, net.sizes("back", 0, 5, 2, 2));
        return pooled(net, net.conv("d", image, 4, 5, 1), 4);
      }
    },
    VECTORS {
      @Override
      Model build(Wiring net, String x) {
        String c = net.conv("c", x, 6, 3, 1);
        net.parameter("scale", 6, 1, 1);
        net.parameter("map", 1, 1, 6, 6);
        String scaled = net.node("mul", "Mul", net.node("add", "Add", "map", c), "scale");
        String padded = net.node("pad", "Pad", scaled, net.sizes("pads", 0, 0, 1, 1, 0, 0, 1, 1));
        return pooled(net, net.node("relu", "Relu", padded), 6);
      }
    };

    abstract Model build(Wiring net, String x);

    private static Map<String, Attribute> window() {
      return Map.of("kernel_shape", Wiring.ints(2, 2), "strides", Wiring.ints(2, 2));
    }

    private static Model pooled(Wiring net, String image, long channels) {
      String pool = net.node("pool", "GlobalAveragePool", image);
      return head(net, net.node("flattened", "Flatten", pool), channels);
    }

    private static Model head(Wiring net, String flat, long features) {
      net.gemm("fc", flat, 4, features);
      return net.model("fc");
    }
  }

  @ParameterizedTest
  @EnumSource
  void theShrunkNetworkComputesWhatTheMaskedOneDoes(Network network) throws Exception {
    Wiring net = new Wiring(3);
    Model dense = network.build(net, net.input("x", 3, 6, 6));
    checkRandomPruning(dense);
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet-8:3x16x16", "lenet-5-caffe"})
  void builtNetworksShrink(String specification) throws Exception {
    checkRandomPruning(Networks.parse(specification, 5));
  }

  private void checkRandomPruning(Model dense) throws Exception {
    ValueInfo input = dense.graph().requiredInputs().getFirst();
    Tensor x = random(input.shape(3));
    SplittableRandom random = new SplittableRandom(7);
    List<Coupling.Group> groups =
        Coupling.groups(dense).stream().filter(Coupling.Group::prunable).toList();
    assertTrue(!groups.isEmpty(), "nothing to prune");
    for (int round = 0; round < ROUNDS; round++) {
      Model masked = dense.copy();
      Map<Coupling.Slice, Long> gone = new LinkedHashMap<>();
      for (Coupling.Group group : groups) {
        boolean[] units = new boolean[(int) group.units()];
        for (int u = 1; u < units.length; u++) {
          units[u] = random.nextDouble() < 0.5;
        }
        for (Coupling.Slice slice : group.masked()) {
          gone.merge(axisOf(slice), slice.expansion() * count(units), Long::sum);
        }
        prune(masked, group, units);
      }
      Model shrunk = Shrinker.shrink(masked);
      gone.forEach(
          (axis, elements) ->
              assertEquals(
                  size(dense, axis) - elements, size(shrunk, axis), "size of " + axis.parameter()));
      Map<String, Tensor> expected = run(masked, input.name(), x);
      OnnxRuntimeCheck.assertClose(expected, run(shrunk, input.name(), x), 1e-4);
      if (round < 2) {
        Path file = folder.resolve("shrunk" + round + ".onnx");
        OnnxWriter.write(shrunk, file);
        Map<String, Tensor> there = OnnxRuntimeCheck.run(file, Map.of(input.name(), x));
        OnnxRuntimeCheck.assertClose(expected, there, 1e-4);
      }
    }
  }

  /** Prunes units of a group as pruning does: masks and zeros in all that is masked. */
  private static void prune(Model model, Coupling.Group group, boolean[] gone) {
    for (Coupling.Slice slice : group.masked()) {
      Tensor tensor = model.graph().initializer(slice.parameter()).copy();
      Mask mask = model.masks().computeIfAbsent(slice.parameter(), p -> Mask.ones(tensor.shape()));
      long inner = 1;
      for (int d = slice.axis() + 1; d < tensor.shape().rank(); d++) {
        inner *= tensor.shape().dim(d);
      }
      for (long i = 0; i < tensor.size(); i++) {
        long element = i / inner % tensor.shape().dim(slice.axis()) - slice.offset();
        long unit = Math.floorDiv(element, slice.expansion());
        if (unit >= 0 && unit < gone.length && gone[(int) unit]) {
          tensor.setFloat(i, 0);
          mask.set(i, false);
        }
      }
      model.graph().initializers().put(slice.parameter(), tensor);
    }
  }

  /** The same for all slices along an axis of a parameter. */
  private static Coupling.Slice axisOf(Coupling.Slice slice) {
    return new Coupling.Slice(Coupling.Role.SIZE, slice.parameter(), slice.axis(), 0, 1);
  }

  private static long size(Model model, Coupling.Slice axis) {
    return model.graph().initializer(axis.parameter()).shape().dim(axis.axis());
  }

  private static long count(boolean[] units) {
    long count = 0;
    for (boolean unit : units) {
      count += unit ? 1 : 0;
    }
    return count;
  }

  private static Tensor random(Shape shape) {
    SplittableRandom random = new SplittableRandom(11);
    float[] values = new float[(int) shape.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-2, 2);
    }
    return Tensor.of(shape, values);
  }

  private static Map<String, Tensor> run(Model model, String input, Tensor x) {
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of(input, x.shape()), parameters, Executable.Mode.INFERENCE)) {
      return new LinkedHashMap<>(executable.run(Map.of(input, x)));
    }
  }
}
