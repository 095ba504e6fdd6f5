package io.github.secateur.train;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds the first thing in which two graphs differ that matters to training. */
final class ModelDifference {
  private ModelDifference() {}

  /** Says the difference between what was and what is now, or nothing. */
  static Optional<String> between(Graph was, Graph now) {
    return nodes(was, now).or(() -> initializers(was, now));
  }

  private static Optional<String> nodes(Graph was, Graph now) {
    int count = Math.min(was.nodes().size(), now.nodes().size());
    for (int i = 0; i < count; i++) {
      Node a = was.nodes().get(i);
      Node b = now.nodes().get(i);
      if (!same(a, b)) {
        return Optional.of("node %d was %s and is now %s".formatted(i, describe(a), describe(b)));
      }
    }
    return was.nodes().size() == now.nodes().size()
        ? Optional.empty()
        : Optional.of(
            "it had %d nodes and has now %d".formatted(was.nodes().size(), now.nodes().size()));
  }

  private static String describe(Node node) {
    return node + " " + node.inputs() + " -> " + node.outputs();
  }

  private static Optional<String> initializers(Graph was, Graph now) {
    if (!List.copyOf(was.initializers().keySet())
        .equals(List.copyOf(now.initializers().keySet()))) {
      return Optional.of(
          "its weights were %s and are now %s"
              .formatted(was.initializers().keySet(), now.initializers().keySet()));
    }
    for (Map.Entry<String, Tensor> entry : was.initializers().entrySet()) {
      Tensor a = entry.getValue();
      Tensor b = now.initializer(entry.getKey());
      if (a.dtype() != b.dtype() || !a.shape().equals(b.shape())) {
        return Optional.of("'%s' was %s and is now %s".formatted(entry.getKey(), a, b));
      }
      if (!a.bitEquals(b)) {
        return Optional.of("'%s' starts from other values".formatted(entry.getKey()));
      }
    }
    return Optional.empty();
  }

  private static boolean same(Node a, Node b) {
    return a.op().equals(b.op())
        && a.inputs().equals(b.inputs())
        && a.outputs().equals(b.outputs())
        && a.attributes().keySet().equals(b.attributes().keySet())
        && a.attributes().entrySet().stream()
            .allMatch(e -> same(e.getValue(), b.attributes().get(e.getKey())));
  }

  private static boolean same(Attribute a, Attribute b) {
    if (a instanceof Attribute.Data(Tensor x) && b instanceof Attribute.Data(Tensor y)) {
      return x.bitEquals(y);
    }
    if (a instanceof Attribute.Subgraph(Graph x) && b instanceof Attribute.Subgraph(Graph y)) {
      return between(x, y).isEmpty();
    }
    if (a instanceof Attribute.Opaque(byte[] x) && b instanceof Attribute.Opaque(byte[] y)) {
      return Arrays.equals(x, y);
    }
    return a.equals(b);
  }
}
