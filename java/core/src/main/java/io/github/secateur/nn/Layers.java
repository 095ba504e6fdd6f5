package io.github.secateur.nn;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Appends layers with initial weights to a graph; each returns the name of the value it makes. */
final class Layers {
  /** Added to variances (Ioffe and Szegedy 2015). */
  private static final float EPSILON = 1e-5f;

  /** What is kept of running statistics at each step, as ONNX counts it. */
  private static final float MOMENTUM = 0.9f;

  private final Graph graph;
  private final Initialization initialization;
  private final RandomGenerator random;

  Layers(Graph graph, Initialization initialization, long seed) {
    this.graph = graph;
    this.initialization = initialization;
    this.random = Initialization.generator(seed);
  }

  /** The input {@code x} [batch, dims...]. */
  String input(long... dims) {
    graph.inputs().add(ValueInfo.of("x", DType.F32, batchOf(dims)));
    return "x";
  }

  private static ValueInfo.Dim[] batchOf(long... dims) {
    return Stream.concat(
            Stream.of(ValueInfo.Dim.symbol("batch")),
            Arrays.stream(dims).mapToObj(ValueInfo.Dim::of))
        .toArray(ValueInfo.Dim[]::new);
  }

  /** y = x · Wᵀ + b with {@code NAME.weight} [out, in] and {@code NAME.bias} [out]. */
  String linear(String name, String x, String y, long out, long in) {
    Shape weight = Shape.of(out, in);
    parameter(name + ".weight", initialization.weight(random, weight));
    parameter(name + ".bias", initialization.bias(random, weight));
    List<String> inputs = List.of(x, name + ".weight", name + ".bias");
    return add(name, "Gemm", inputs, y, Map.of("transB", new Attribute.Int(1)));
  }

  /** What {@link #convolution} makes. */
  record Kernel(long out, long in, long size, long stride, long padding, boolean bias) {
    /** One that keeps height and width at stride 1, without bias, as before a normalization. */
    static Kernel same(long out, long in, long size, long stride) {
      return new Kernel(out, in, size, stride, size / 2, false);
    }
  }

  /** A convolution with {@code NAME.weight} [out, in, size, size] and perhaps {@code NAME.bias}. */
  String convolution(String name, String x, Kernel kernel) {
    Shape weight = Shape.of(kernel.out, kernel.in, kernel.size, kernel.size);
    parameter(name + ".weight", initialization.weight(random, weight));
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    attributes.put("kernel_shape", ints(kernel.size, kernel.size));
    attributes.put("strides", ints(kernel.stride, kernel.stride));
    long p = kernel.padding;
    attributes.put("pads", ints(p, p, p, p));
    if (!kernel.bias) {
      return add(name, "Conv", List.of(x, name + ".weight"), name + ".out", attributes);
    }
    parameter(name + ".bias", initialization.bias(random, weight));
    List<String> inputs = List.of(x, name + ".weight", name + ".bias");
    return add(name, "Conv", inputs, name + ".out", attributes);
  }

  /**
   * Batch normalization with {@code NAME.scale} 1, {@code NAME.bias} 0, {@code NAME.mean} 0 and
   * {@code NAME.variance} 1, each [channels].
   */
  String normalization(String name, String x, long channels) {
    parameter(name + ".scale", filled(channels, 1));
    parameter(name + ".bias", filled(channels, 0));
    parameter(name + ".mean", filled(channels, 0));
    parameter(name + ".variance", filled(channels, 1));
    return add(
        name,
        "BatchNormalization",
        List.of(x, name + ".scale", name + ".bias", name + ".mean", name + ".variance"),
        name + ".out",
        Map.of("epsilon", new Attribute.Real(EPSILON), "momentum", new Attribute.Real(MOMENTUM)));
  }

  private static Tensor filled(long size, float value) {
    Tensor t = Tensor.zeros(DType.F32, Shape.of(size));
    for (long i = 0; i < size; i++) {
      t.setFloat(i, value);
    }
    return t;
  }

  /** The largest of every 2×2 places. */
  String maxPool2(String name, String x) {
    return add(
        name,
        "MaxPool",
        List.of(x),
        name + ".out",
        Map.of("kernel_shape", ints(2L, 2L), "strides", ints(2L, 2L)));
  }

  /** An operator of one or more inputs without attributes. */
  String apply(String name, String opType, String... inputs) {
    return add(name, opType, List.of(inputs), name + ".out", Map.of());
  }

  private static Attribute ints(Long... values) {
    return new Attribute.Ints(List.of(values));
  }

  private void parameter(String name, Tensor value) {
    graph.initializers().put(name, value);
  }

  private String add(
      String name,
      String opType,
      List<String> inputs,
      String y,
      Map<String, Attribute> attributes) {
    graph.nodes().add(Node.of(name, OpId.onnx(opType), inputs, List.of(y), attributes));
    return y;
  }

  /** Puts a Softmax behind the value {@code logits} and makes both outputs, [batch, classes]. */
  Model classifier(long classes) {
    graph.nodes().add(Node.of("softmax", "Softmax", List.of("logits"), List.of("probabilities")));
    for (String output : List.of("logits", "probabilities")) {
      graph.outputs().add(ValueInfo.of(output, DType.F32, batchOf(classes)));
    }
    return new Model(graph);
  }
}
