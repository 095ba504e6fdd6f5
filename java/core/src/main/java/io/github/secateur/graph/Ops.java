package io.github.secateur.graph;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All operators that can be executed. */
public final class Ops {
  private static final Map<OpId, Op> ALL = index(List.of());

  private Ops() {}

  private static Map<OpId, Op> index(List<Op> ops) {
    Map<OpId, Op> map = new LinkedHashMap<>();
    for (Op op : ops) {
      map.put(op.id(), op);
    }
    return map;
  }

  /** The operator of a node, if the engine knows it. */
  public static Optional<Op> find(Node node) {
    String domain = node.domain().equals("ai.onnx") ? "" : node.domain();
    return Optional.ofNullable(ALL.get(new OpId(domain, node.opType())));
  }

  /**
   * The operator of a node.
   *
   * @throws IllegalArgumentException when the engine cannot execute it
   */
  public static Op get(Node node) {
    return find(node)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    node
                        + " cannot be executed by Secateur; data-free pruning and 'eval --with"
                        + " onnxruntime' still work"));
  }

  /** All known operators. */
  public static List<OpId> known() {
    return List.copyOf(ALL.keySet());
  }
}
