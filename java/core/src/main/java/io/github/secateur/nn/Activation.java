package io.github.secateur.nn;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Nonlinearity between layers. */
public enum Activation {
  /** max(x, 0). */
  RELU("Relu"),
  /** x &lt; 0 ? 0.01 x : x. */
  LEAKY_RELU("LeakyRelu"),
  /** 1 / (1 + exp(−x)). */
  SIGMOID("Sigmoid"),
  /** Hyperbolic tangent. */
  TANH("Tanh"),
  /** x/2 · (1 + erf(x / √2)), built of Div, Erf, Add, Mul: operator set 17 has no Gelu. */
  GELU("Gelu");

  private final String opType;

  Activation(String opType) {
    this.opType = opType;
  }

  /** The activation of this name, upper or lower case, '-' or '_'. */
  static Activation parse(String text) {
    return Arrays.stream(values())
        .filter(a -> a.label().equals(text.toLowerCase(Locale.ROOT).replace('_', '-')))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no activation '%s'; use one of %s"
                        .formatted(
                            text,
                            Arrays.stream(values())
                                .map(Activation::label)
                                .collect(Collectors.joining(", ")))));
  }

  /** Name as users write it, such as {@code leaky-relu}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Appends y = f(x) as nodes named after a prefix. */
  void append(Graph graph, String prefix, String x, String y) {
    if (this == GELU) {
      appendGelu(graph, prefix, x, y);
    } else {
      graph.nodes().add(Node.of(prefix + "." + label(), opType, List.of(x), List.of(y)));
    }
  }

  private static void appendGelu(Graph graph, String prefix, String x, String y) {
    String p = prefix + ".gelu.";
    constant(graph, p + "sqrt2", (float) Math.sqrt(2));
    constant(graph, p + "one", 1f);
    constant(graph, p + "half", 0.5f);
    binary(graph, "Div", x, p + "sqrt2", p + "scaled");
    graph.nodes().add(Node.of(p + "erf", "Erf", List.of(p + "scaled"), List.of(p + "erf")));
    binary(graph, "Add", p + "erf", p + "one", p + "doubled-cdf");
    binary(graph, "Mul", x, p + "doubled-cdf", p + "doubled");
    binary(graph, "Mul", p + "doubled", p + "half", y);
  }

  private static void binary(Graph graph, String op, String a, String b, String y) {
    graph.nodes().add(Node.of(y, op, List.of(a, b), List.of(y)));
  }

  /** Appends a scalar as a Constant node: an initializer would count as a parameter. */
  static void constant(Graph graph, String name, float value) {
    graph
        .nodes()
        .add(
            Node.of(
                name,
                OpId.onnx("Constant"),
                List.of(),
                List.of(name),
                Map.of("value", new Attribute.Data(Tensor.of(Shape.of(), value)))));
  }
}
