package io.github.secateur.exec;

import io.github.secateur.graph.Graph;
import java.util.Collection;

/** Adds gradient nodes to a graph. */
public final class ReverseMode {
  private ReverseMode() {}

  /**
   * Name of the value that holds the gradient of another, an output of the differentiated graph.
   */
  public static String gradientName(String value) {
    return "grad/" + value;
  }

  /**
   * A copy of the graph with nodes that compute d loss / d w for each w, and {@link
   * #gradientName}(w) as further outputs.
   *
   * @param loss a scalar value of the graph
   * @param wrt initializers or inputs
   * @throws IllegalArgumentException naming the node when an operator on the way has no gradient
   *     rule, or the value that loss does not depend on
   */
  public static Graph differentiate(Graph graph, String loss, Collection<String> wrt) {
    throw new IllegalStateException("being written " + loss + wrt + graph);
  }
}
