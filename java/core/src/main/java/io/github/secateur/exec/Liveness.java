package io.github.secateur.exec;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Ops;
import io.github.secateur.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which nodes matter, which values share memory, and how long each is needed. */
final class Liveness {
  private final Map<String, String> roots = new HashMap<>();
  private final Map<String, Integer> lastReads = new HashMap<>();
  private final Set<String> read = new HashSet<>();

  /** Follows views and reads through nodes in order. */
  Liveness(Graph graph, List<Node> nodes, ShapeInference shapes, boolean training) {
    for (int step = 0; step < nodes.size(); step++) {
      Node node = nodes.get(step);
      if (Ops.get(node).isView(node, shapes.at(node), training)) {
        read.add(node.input(0));
        roots.put(node.output(), root(node.input(0)));
        continue;
      }
      for (String input : node.inputs()) {
        read.add(input);
        lastReads.put(root(input), step);
      }
    }
    for (ValueInfo output : graph.outputs()) {
      read.add(output.name());
      lastReads.put(root(output.name()), Integer.MAX_VALUE);
    }
  }

  /** The nodes that graph outputs depend on, in order. */
  static List<Node> needed(Graph graph) {
    Set<String> wanted = new HashSet<>();
    graph.outputs().forEach(o -> wanted.add(o.name()));
    List<Node> needed = new ArrayList<>();
    for (Node node : graph.nodes().reversed()) {
      if (node.outputs().stream().anyMatch(wanted::contains)) {
        needed.add(node);
        wanted.addAll(node.inputs());
      }
    }
    Collections.reverse(needed);
    return needed;
  }

  /** The value whose memory this value is: itself unless it is a view. */
  String root(String value) {
    return roots.getOrDefault(value, value);
  }

  /** Whether a value is a view of another. */
  boolean isView(String value) {
    return roots.containsKey(value);
  }

  /** Whether any node or graph output reads a value. */
  boolean isRead(String value) {
    return read.contains(value);
  }

  /** Whether a graph output is this value or a view of it. */
  boolean isOutput(String root) {
    return lastReads.getOrDefault(root, -1) == Integer.MAX_VALUE;
  }

  /** The last step that reads a value or a view of it; {@code written} when none does. */
  int lastRead(String root, int written) {
    return Math.max(written, lastReads.getOrDefault(root, written));
  }
}
