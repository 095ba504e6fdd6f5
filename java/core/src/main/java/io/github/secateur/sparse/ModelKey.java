package io.github.secateur.sparse;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * What the time of a whole model depends on beside the device: its operators and shapes, and of
 * each layer that could run sparse its {@link LayerKey} and how it runs. Values of weights do not
 * count.
 */
final class ModelKey {
  private ModelKey() {}

  /**
   * The key.
   *
   * @param layers of the layers that could run sparse, key and format or dense, in order
   */
  static String of(Model model, long batch, List<String> layers) {
    StringBuilder text = new StringBuilder();
    Graph graph = model.graph();
    graph.inputs().forEach(input -> value(text, input));
    graph.outputs().forEach(output -> value(text, output));
    graph
        .initializers()
        .forEach((name, tensor) -> text.append(name).append(' ').append(tensor).append('\n'));
    graph.nodes().forEach(node -> node(text, node));
    layers.forEach(layer -> text.append(layer).append('\n'));
    return "%s @%d".formatted(Hash.of(text.toString()), batch);
  }

  private static void value(StringBuilder text, ValueInfo value) {
    text.append(value.name()).append(value.dtype()).append(value.dims()).append('\n');
  }

  private static void node(StringBuilder text, Node node) {
    text.append(node.op()).append(node.inputs()).append(node.outputs());
    new TreeMap<>(node.attributes())
        .forEach((name, value) -> text.append(name).append('=').append(attribute(value)));
    text.append('\n');
  }

  private static String attribute(Attribute value) {
    return switch (value) {
      case Attribute.Opaque(byte[] serialized) -> Integer.toString(Arrays.hashCode(serialized));
      case Attribute.Subgraph(Graph body) -> "graph of " + body.nodes().size();
      default -> value.toString();
    };
  }
}
