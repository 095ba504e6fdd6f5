package io.github.secateur.nn;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Builds networks of standard ONNX operators, with initial weights. */
public final class Networks {
  private static final Map<String, List<Integer>> NAMED =
      Map.of(
          "simple-net", List.of(784, 64, 32, 10),
          "lenet-300-100", List.of(784, 300, 100, 10));

  private static final String FORMS =
      "simple-net, lenet-300-100 or mlp:SIZES[:ACTIVATION], such as mlp:784-512-256-10:tanh";

  private Networks() {}

  /**
   * The network that a specification names: {@code simple-net} (784-64-32-10), {@code
   * lenet-300-100} (LeCun et al. 1998), or {@code mlp:784-512-256-10[:activation]}; ReLU unless
   * given.
   *
   * @param seed of the initial weights
   * @throws IllegalArgumentException naming what is wrong and the forms that are understood
   */
  public static Model parse(String specification, long seed) {
    return mlp(options(specification, seed));
  }

  /** The options that a specification stands for; see {@link #parse}. */
  public static MlpOptions options(String specification, long seed) {
    List<Integer> named = NAMED.get(specification);
    if (named != null) {
      return MlpOptions.of(named, seed);
    }
    String[] parts = specification.split(":", -1);
    if (!parts[0].equals("mlp") || parts.length < 2 || parts.length > 3) {
      throw new IllegalArgumentException(
          "there is no network '%s'; use %s".formatted(specification, FORMS));
    }
    List<Integer> sizes = new ArrayList<>();
    for (String size : parts[1].split("-", -1)) {
      sizes.add(size(specification, size));
    }
    if (sizes.size() < 2) {
      throw new IllegalArgumentException(
          "network '%s' needs at least two sizes, features and classes; use %s"
              .formatted(specification, FORMS));
    }
    MlpOptions options = MlpOptions.of(sizes, seed);
    return parts.length == 3 ? options.with(Activation.parse(parts[2])) : options;
  }

  private static int size(String specification, String text) {
    try {
      int size = Integer.parseInt(text);
      if (size >= 1) {
        return size;
      }
    } catch (NumberFormatException e) {
      // falls through to the sentence below
    }
    throw new IllegalArgumentException(
        "'%s' in network '%s' is no layer size of 1 or more; use %s"
            .formatted(text, specification, FORMS));
  }

  /**
   * A multilayer perceptron. Input {@code x} [batch, features]; layers {@code fc1}, {@code fc2}, …
   * with {@code fc1.weight} [out, in] and {@code fc1.bias} [out]; outputs {@code logits} and {@code
   * probabilities} [batch, classes].
   */
  public static Model mlp(MlpOptions options) {
    Graph graph = new Graph("mlp");
    RandomGenerator random = Initialization.generator(options.seed());
    List<Integer> sizes = options.sizes();
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    graph.inputs().add(ValueInfo.of("x", DType.F32, batch, ValueInfo.Dim.of(sizes.getFirst())));
    String x = "x";
    int layers = sizes.size() - 1;
    for (int layer = 1; layer <= layers; layer++) {
      String name = "fc" + layer;
      String y = layer == layers ? "logits" : name + ".linear";
      linear(graph, name, x, y);
      int in = sizes.get(layer - 1);
      int out = sizes.get(layer);
      graph.initializers().put(name + ".weight", options.initialization().weight(random, out, in));
      graph.initializers().put(name + ".bias", options.initialization().bias(random, out, in));
      if (layer < layers) {
        options.activation().append(graph, name, y, name + ".activation");
        x = dropout(graph, options.dropout(), name, name + ".activation");
      }
    }
    graph.nodes().add(Node.of("softmax", "Softmax", List.of("logits"), List.of("probabilities")));
    ValueInfo.Dim classes = ValueInfo.Dim.of(sizes.getLast());
    graph.outputs().add(ValueInfo.of("logits", DType.F32, batch, classes));
    graph.outputs().add(ValueInfo.of("probabilities", DType.F32, batch, classes));
    return new Model(graph);
  }

  private static void linear(Graph graph, String name, String x, String y) {
    graph
        .nodes()
        .add(
            Node.of(
                name,
                OpId.onnx("Gemm"),
                List.of(x, name + ".weight", name + ".bias"),
                List.of(y),
                Map.of("transB", new Attribute.Int(1))));
  }

  private static String dropout(Graph graph, double ratio, String prefix, String x) {
    if (ratio == 0) {
      return x;
    }
    String name = prefix + ".dropout";
    Activation.constant(graph, name + ".ratio", (float) ratio);
    graph.nodes().add(Node.of(name, "Dropout", List.of(x, name + ".ratio"), List.of(name)));
    return name;
  }
}
