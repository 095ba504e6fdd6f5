package io.github.secateur.train;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.LinearLayer;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.MaskedGemm;
import java.util.List;
import java.util.Optional;

/** Puts MaskedGemm in the place of the products whose weights may come under a mask. */
final class MaskedLayers {
  private MaskedLayers() {}

  /** Replaces, in this graph, every {@link LinearLayer} whose weight no other node reads. */
  static void replace(Graph graph) {
    for (Node node : List.copyOf(graph.nodes())) {
      of(node, graph).ifPresent(masked -> graph.replace(node, masked));
    }
  }

  private static Optional<Node> of(Node node, Graph graph) {
    return LinearLayer.of(node, graph)
        .filter(layer -> reads(graph, node.input(1)) == 1)
        .map(MaskedLayers::masked);
  }

  private static long reads(Graph graph, String value) {
    return graph.nodes().stream()
        .flatMap(node -> node.inputs().stream())
        .filter(value::equals)
        .count();
  }

  private static Node masked(LinearLayer layer) {
    Node dense = layer.node();
    return Node.of(
        dense.name(),
        MaskedGemm.ID,
        layer.inputs(),
        dense.outputs(),
        MaskedGemm.attributes(layer.transposed()));
  }
}
