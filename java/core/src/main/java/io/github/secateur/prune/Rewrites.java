package io.github.secateur.prune;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import java.util.List;
import java.util.Set;

/** Changes of a graph that is run for its scores. */
final class Rewrites {
  private Rewrites() {}

  /** A copy in which nodes of these standard operators hand on their first input unchanged. */
  static Graph without(Set<String> opTypes, Graph graph) {
    Graph copy = graph.copy();
    copy.nodes()
        .replaceAll(
            node ->
                opTypes.stream().anyMatch(node::is)
                    ? Node.of(
                        node.name(), "Identity", List.of(node.input(0)), List.of(node.output()))
                    : node);
    return copy;
  }
}
