package io.github.secateur.graph;

import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Follows the operands of all nodes, subgraphs included, back to the tensors that a model holds:
 * through Identity, Cast, Transpose and DequantizeLinear, which leave each element where its weight
 * can be told.
 */
final class Operands {
  private static final Set<String> THROUGH =
      Set.of("Identity", "Cast", "Transpose", "DequantizeLinear");

  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final List<Use> uses = new ArrayList<>();

  /**
   * Where an operand comes from.
   *
   * @param parameter path of the tensor
   * @param tensor the tensor
   * @param axes axis of the tensor for each axis of the operand
   */
  record Source(String parameter, Tensor tensor, int[] axes) {}

  /** A node that reads a parameter, perhaps through transpositions and the like. */
  record Use(Node node, int input, Source source) {
    /** Name of the node, or of its first output. */
    String layer() {
      return node.name().isEmpty() ? node.output() : node.name();
    }
  }

  /** A graph in the scope of others, whose values it may read. */
  private record Scope(Graph graph, String prefix, Scope outer, Map<String, Node> producers) {
    static Scope of(Graph graph, String prefix, Scope outer) {
      Map<String, Node> producers = new HashMap<>();
      graph.nodes().forEach(n -> n.outputs().forEach(o -> producers.put(o, n)));
      return new Scope(graph, prefix, outer, producers);
    }
  }

  /** Follows all operands of a model. */
  Operands(Model model) {
    walk(Scope.of(model.graph(), "", null));
  }

  /** All tensors that the model holds, by path. */
  Map<String, Tensor> parameters() {
    return parameters;
  }

  /** All reads of parameters, in the order of the nodes. */
  List<Use> uses() {
    return uses;
  }

  private void walk(Scope scope) {
    scope.graph.initializers().forEach((name, t) -> parameters.put(scope.prefix + name, t));
    for (Node node : scope.graph.nodes()) {
      ParameterPath.constant(node).ifPresent(t -> parameters.put(scope.prefix + node.output(), t));
      for (int i = 0; i < node.inputs().size(); i++) {
        Source source = isThrough(node) && i == 0 ? null : trace(scope, node.input(i));
        if (source != null) {
          uses.add(new Use(node, i, source));
        }
      }
      node.attributes()
          .forEach(
              (name, attribute) -> {
                if (attribute instanceof Attribute.Subgraph body) {
                  walk(
                      Scope.of(
                          body.value(), ParameterPath.prefix(scope.prefix, node, name), scope));
                }
              });
    }
  }

  private static boolean isThrough(Node node) {
    return THROUGH.stream().anyMatch(node::is);
  }

  private static Source trace(Scope scope, String value) {
    if (value.isEmpty() || scope == null) {
      return null;
    }
    Tensor initializer = scope.graph.initializers().get(value);
    if (initializer != null) {
      return source(scope, value, initializer);
    }
    Node producer = scope.producers.get(value);
    if (producer == null) {
      boolean formal = scope.graph.inputs().stream().anyMatch(i -> i.name().equals(value));
      return formal ? null : trace(scope.outer, value);
    }
    if (ParameterPath.constant(producer).isPresent()) {
      return source(scope, value, ParameterPath.constant(producer).get());
    }
    if (!isThrough(producer)) {
      return null;
    }
    Source source = trace(scope, producer.input(0));
    return source != null && producer.is("Transpose") ? transposed(producer, source) : source;
  }

  private static Source source(Scope scope, String value, Tensor tensor) {
    return new Source(
        scope.prefix + value, tensor, IntStream.range(0, tensor.shape().rank()).toArray());
  }

  private static Source transposed(Node node, Source source) {
    int rank = source.axes.length;
    List<Long> perm =
        node.intsAttribute(
            "perm", LongStream.range(0, rank).map(d -> rank - 1 - d).boxed().toList());
    if (perm.size() != rank || perm.stream().anyMatch(p -> p < 0 || p >= rank)) {
      return null;
    }
    int[] axes = perm.stream().mapToInt(p -> source.axes[p.intValue()]).toArray();
    return new Source(source.parameter, source.tensor, axes);
  }
}
