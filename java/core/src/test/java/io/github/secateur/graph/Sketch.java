package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Small networks for tests, node by node: each method adds a node of the given name, with random
 * parameters {@code name.weight} and the like, and returns its output, which has the node's name.
 */
public final class Sketch {
  private final Graph graph = new Graph("sketch");
  private final SplittableRandom random;

  /** An empty network. */
  public Sketch(long seed) {
    random = new SplittableRandom(seed);
  }

  /** An input [batch, dims ...]. */
  public String input(String name, long... dims) {
    graph.inputs().add(info(name, dims));
    return name;
  }

  private static ValueInfo info(String name, long... dims) {
    ValueInfo.Dim[] all = new ValueInfo.Dim[dims.length + 1];
    all[0] = ValueInfo.Dim.symbol("batch");
    for (int d = 0; d < dims.length; d++) {
      all[d + 1] = ValueInfo.Dim.of(dims[d]);
    }
    return ValueInfo.of(name, DType.F32, all);
  }

  /** Declares an output [batch, dims ...]. */
  public Model output(String name, long... dims) {
    graph.outputs().add(info(name, dims));
    return new Model(graph);
  }

  /** A parameter of numbers between −1 and 1 but not near 0. */
  public String parameter(String name, long... dims) {
    Tensor tensor = Tensor.zeros(DType.F32, Shape.of(dims));
    for (long i = 0; i < tensor.size(); i++) {
      double magnitude = random.nextDouble(0.05, 1);
      tensor.setFloat(i, (float) (random.nextBoolean() ? magnitude : -magnitude));
    }
    graph.initializers().put(name, tensor);
    return name;
  }

  /** A constant vector of integers. */
  public String longs(String name, long... values) {
    graph.initializers().put(name, Tensor.ofLongs(Shape.of(values.length), values));
    return name;
  }

  /** Any node. */
  public String node(String name, String op, List<String> inputs, Map<String, Attribute> with) {
    graph.nodes().add(Node.of(name, OpId.onnx(op), inputs, List.of(name), with));
    return name;
  }

  /** A node without attributes. */
  public String node(String name, String op, String... inputs) {
    return node(name, op, List.of(inputs), Map.of());
  }

  /** A 3×3 convolution of the same size with a bias; weight [out, in / groups, 3, 3]. */
  public String conv(String name, String x, long out, long in, long groups) {
    Map<String, Attribute> with = new LinkedHashMap<>();
    with.put("kernel_shape", ints(3, 3));
    with.put("pads", ints(1, 1, 1, 1));
    if (groups > 1) {
      with.put("group", new Attribute.Int(groups));
    }
    String weight = parameter(name + ".weight", out, in / groups, 3, 3);
    return node(name, "Conv", List.of(x, weight, parameter(name + ".bias", out)), with);
  }

  /** A batch normalization with its running statistics. */
  public String norm(String name, String x, long channels) {
    parameter(name + ".scale", channels);
    parameter(name + ".shift", channels);
    parameter(name + ".mean", channels);
    Tensor variance = graph.initializer(parameter(name + ".variance", channels));
    for (long i = 0; i < channels; i++) {
      variance.setFloat(i, Math.abs(variance.getFloat(i)));
    }
    return node(
        name,
        "BatchNormalization",
        x,
        name + ".scale",
        name + ".shift",
        name + ".mean",
        name + ".variance");
  }

  /** A Gemm with weight [out, in] and bias. */
  public String gemm(String name, String x, long out, long in) {
    String weight = parameter(name + ".weight", out, in);
    return node(
        name,
        "Gemm",
        List.of(x, weight, parameter(name + ".bias", out)),
        Map.of("transB", new Attribute.Int(1)));
  }

  /** Joins channels. */
  public String concat(String name, String... inputs) {
    return node(name, "Concat", List.of(inputs), Map.of("axis", new Attribute.Int(1)));
  }

  /** An attribute of integers. */
  public static Attribute ints(long... values) {
    return new Attribute.Ints(LongStream.of(values).boxed().toList());
  }

  /** Prunes units of a group as pruning does: masks and zeros in all that is masked. */
  public static void prune(Model model, Coupling.Group group, boolean[] gone) {
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
}
