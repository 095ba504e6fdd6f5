package io.github.secateur.graph;

import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names every tensor that a model holds, wherever it lies: an initializer or the output of a
 * Constant node by its value name; inside the body of an If or Loop preceded by the node and the
 * attribute, as in {@code If_0::then_branch::weight}. A node without a name goes by its first
 * output's name.
 */
public final class ParameterPath {
  private static final String SEPARATOR = "::";

  private ParameterPath() {}

  /** What the paths into a node's subgraph begin with, below a prefix. */
  static String prefix(String outer, Node node, String attribute) {
    String owner = node.name().isEmpty() ? node.output() : node.name();
    return outer + owner + SEPARATOR + attribute + SEPARATOR;
  }

  /**
   * The tensor at a path.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Tensor read(Model model, String path) {
    return find(model.graph(), "", path).orElseThrow(() -> missing(model, path));
  }

  /** Whether there is a tensor at a path. */
  public static boolean exists(Model model, String path) {
    return find(model.graph(), "", path).isPresent();
  }

  /**
   * Puts a tensor in the place of another. Changes the model's graph; subgraphs, which copies of a
   * model share, are copied first.
   *
   * @throws IllegalArgumentException when there is none at this path
   */
  public static void write(Model model, String path, Tensor value) {
    if (!write(model.graph(), "", path, value)) {
      throw missing(model, path);
    }
  }

  private static IllegalArgumentException missing(Model model, String path) {
    return new IllegalArgumentException(
        "graph '%s' holds no tensor '%s'".formatted(model.graph().name(), path));
  }

  /** The tensor of a Constant node, if it holds one. */
  static Optional<Tensor> constant(Node node) {
    return node.is("Constant") && node.attributes().get("value") instanceof Attribute.Data data
        ? Optional.of(data.value())
        : Optional.empty();
  }

  private static Optional<Tensor> find(Graph graph, String prefix, String path) {
    if (!path.startsWith(prefix)) {
      return Optional.empty();
    }
    String value = path.substring(prefix.length());
    if (graph.initializers().containsKey(value)) {
      return Optional.of(graph.initializers().get(value));
    }
    for (Node node : graph.nodes()) {
      if (node.outputs().contains(value) && constant(node).isPresent()) {
        return constant(node);
      }
      for (Map.Entry<String, Attribute> attribute : node.attributes().entrySet()) {
        if (attribute.getValue() instanceof Attribute.Subgraph body) {
          Optional<Tensor> found =
              find(body.value(), prefix(prefix, node, attribute.getKey()), path);
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    return Optional.empty();
  }

  private static boolean write(Graph graph, String prefix, String path, Tensor tensor) {
    if (!path.startsWith(prefix)) {
      return false;
    }
    String value = path.substring(prefix.length());
    if (graph.initializers().replace(value, tensor) != null) {
      return true;
    }
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.outputs().contains(value) && constant(node).isPresent()) {
        graph.replace(node, node.with("value", new Attribute.Data(tensor)));
        return true;
      }
      for (Map.Entry<String, Attribute> attribute : node.attributes().entrySet()) {
        if (attribute.getValue() instanceof Attribute.Subgraph body) {
          Graph copy = body.value().copy();
          if (write(copy, prefix(prefix, node, attribute.getKey()), path, tensor)) {
            graph.replace(node, node.with(attribute.getKey(), new Attribute.Subgraph(copy)));
            return true;
          }
        }
      }
    }
    return false;
  }
}
