package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Wires small networks with random weights by hand: each method adds a node of the given name, with
 * parameters {@code name.weight} and the like, and gives its value, which has the node's name.
 */
public final class Wiring {
  private final Graph graph = new Graph("wired");
  private final Random random;

  /** Weights from a seed. */
  public Wiring(long seed) {
    random = new Random(seed);
  }

  /** An input [batch, dims ...]. */
  public String input(String name, long... dims) {
    List<ValueInfo.Dim> all = new ArrayList<>(List.of(ValueInfo.Dim.symbol("batch")));
    LongStream.of(dims).mapToObj(ValueInfo.Dim::of).forEach(all::add);
    graph.inputs().add(ValueInfo.of(name, DType.F32, all.toArray(ValueInfo.Dim[]::new)));
    return name;
  }

  /** A parameter of normally distributed numbers. */
  public String parameter(String name, long... dims) {
    Tensor t = Tensor.zeros(DType.F32, Shape.of(dims));
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) (random.nextGaussian() * 0.5));
    }
    graph.initializers().put(name, t);
    return name;
  }

  /** A constant that holds sizes. */
  public String sizes(String name, long... values) {
    graph.initializers().put(name, Tensor.ofLongs(Shape.of(values.length), values));
    return name;
  }

  /** A 3×3 convolution, padded, with a bias; {@code weight [out, in / groups]}. */
  public String conv(String name, String x, long out, long perGroup, long groups) {
    parameter(name + ".weight", out, perGroup, 3, 3);
    parameter(name + ".bias", out);
    return node(
        name,
        "Conv",
        List.of(x, name + ".weight", name + ".bias"),
        Map.of("group", new Attribute.Int(groups), "pads", ints(1, 1, 1, 1)));
  }

  /** The same in one group. */
  public String conv(String name, String x, long out, long in) {
    return conv(name, x, out, in, 1);
  }

  /** A batch normalization with random scale, shift, mean and variance. */
  public String norm(String name, String x, long channels) {
    for (String vector : List.of(".scale", ".shift", ".mean", ".variance")) {
      parameter(name + vector, channels);
    }
    Tensor variance = graph.initializer(name + ".variance");
    for (long i = 0; i < channels; i++) {
      variance.setFloat(i, 0.25f + Math.abs(variance.getFloat(i)));
    }
    return node(
        name,
        "BatchNormalization",
        List.of(x, name + ".scale", name + ".shift", name + ".mean", name + ".variance"),
        Map.of());
  }

  /** A linear layer with a bias; weight [out, in]. */
  public String gemm(String name, String x, long out, long in) {
    parameter(name + ".weight", out, in);
    parameter(name + ".bias", out);
    return node(
        name,
        "Gemm",
        List.of(x, name + ".weight", name + ".bias"),
        Map.of("transB", new Attribute.Int(1)));
  }

  /** Joins values along channels. */
  public String concat(String name, String... values) {
    return node(name, "Concat", List.of(values), Map.of("axis", new Attribute.Int(1)));
  }

  /** Any node without attributes. */
  public String node(String name, String op, String... inputs) {
    return node(name, op, List.of(inputs), Map.of());
  }

  /** Any node. */
  public String node(String name, String op, List<String> inputs, Map<String, Attribute> more) {
    graph
        .nodes()
        .add(Node.of(name, OpId.onnx(op), inputs, List.of(name), new LinkedHashMap<>(more)));
    return name;
  }

  /** A list of numbers as an attribute. */
  public static Attribute ints(long... values) {
    return new Attribute.Ints(LongStream.of(values).boxed().toList());
  }

  /** The network with these outputs. */
  public Model model(String... outputs) {
    for (String output : outputs) {
      graph.outputs().add(new ValueInfo(output, DType.F32, null, new byte[0]));
    }
    return new Model(graph);
  }

  /** Two residual blocks, the second with a projection, each Conv-BN-Relu-Conv-BN-Add. */
  public static Model residual(long seed) {
    Wiring w = new Wiring(seed);
    String x = w.input("x", 3, 8, 8);
    String stem = w.node("r0", "Relu", w.norm("bn0", w.conv("c0", x, 6, 3), 6));
    String a = w.node("r1", "Relu", w.norm("bn1", w.conv("c1", stem, 5, 6), 5));
    String b = w.norm("bn2", w.conv("c2", a, 6, 5), 6);
    String first = w.node("r2", "Relu", w.node("add1", "Add", stem, b));
    String c = w.node("r3", "Relu", w.norm("bn3", w.conv("c3", first, 7, 6), 7));
    String d = w.norm("bn4", w.conv("c4", c, 8, 7), 8);
    String p = w.norm("bnp", w.conv("proj", first, 8, 6), 8);
    String second = w.node("r4", "Relu", w.node("add2", "Add", d, p));
    String pooled = w.node("gap", "GlobalAveragePool", second);
    String flat = w.node("flat", "Flatten", pooled);
    return w.model(w.gemm("fc", flat, 4, 8));
  }

  /** Two branches and the image itself joined along channels, read by a convolution. */
  public static Model joined(long seed) {
    Wiring w = new Wiring(seed);
    String x = w.input("x", 2, 6, 6);
    String a = w.node("ra", "Relu", w.conv("a", x, 4, 2));
    String b = w.node("rb", "Sigmoid", w.norm("bnb", w.conv("b", x, 5, 2), 5));
    String all = w.concat("cat", a, x, b);
    String c = w.node("rc", "Relu", w.norm("bnc", w.conv("c", w.norm("bn", all, 11), 6, 11), 6));
    String pooled =
        w.node(
            "pool",
            "MaxPool",
            List.of(c),
            Map.of("kernel_shape", ints(2, 2), "strides", ints(2, 2)));
    String flat = w.node("flat", "Flatten", pooled);
    String hidden = w.node("rh", "Tanh", w.gemm("h", flat, 10, 54));
    return w.model(w.gemm("out", hidden, 3, 10));
  }

  /** Depthwise convolutions (one with two outputs a channel) between pointwise ones. */
  public static Model depthwise(long seed) {
    Wiring w = new Wiring(seed);
    String x = w.input("x", 3, 6, 6);
    String a = w.node("r1", "Relu", w.norm("bn1", w.conv("c1", x, 6, 3), 6));
    String d = w.node("r2", "Relu", w.norm("bnd", w.conv("dw", a, 6, 1, 6), 6));
    String e = w.node("r3", "Sigmoid", w.conv("dw2", d, 12, 1, 6));
    String c = w.node("r4", "Relu", w.conv("c2", e, 8, 12));
    String shape = w.sizes("to", -1, 288);
    String flat = w.node("reshape", "Reshape", c, shape);
    return w.model(w.gemm("out", flat, 3, 288));
  }

  /** A grouped convolution between plain ones. */
  public static Model grouped(long seed) {
    Wiring w = new Wiring(seed);
    String x = w.input("x", 3, 5, 5);
    String a = w.node("r1", "Relu", w.conv("c1", x, 8, 3));
    String g = w.node("r2", "Tanh", w.norm("bng", w.conv("g", a, 12, 4, 2), 12));
    String c = w.node("r3", "Relu", w.conv("c2", g, 4, 12));
    String mean =
        w.node(
            "mean",
            "ReduceMean",
            List.of(c),
            Map.of("axes", ints(2, 3), "keepdims", new Attribute.Int(0)));
    return w.model(w.gemm("out", mean, 3, 4));
  }
}
