package io.github.secateur.train;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.MaskedGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Puts MaskedGemm in the place of the products whose weights may come under a mask. */
final class MaskedLayers {
  private MaskedLayers() {}

  /**
   * Replaces, in this graph, every MatMul, and every Gemm with alpha = beta = 1 and A as stored,
   * whose second input is an F32 matrix among the initializers that no other node reads, and whose
   * bias, if any, is one number an output unit.
   */
  static void replace(Graph graph) {
    for (Node node : List.copyOf(graph.nodes())) {
      of(node, graph).ifPresent(masked -> graph.replace(node, masked));
    }
  }

  private static Optional<Node> of(Node node, Graph graph) {
    Tensor weight = node.inputs().size() < 2 ? null : graph.initializers().get(node.input(1));
    if (weight == null
        || weight.dtype() != DType.F32
        || weight.shape().rank() != 2
        || reads(graph, node.input(1)) != 1) {
      return Optional.empty();
    }
    if (node.is("MatMul")) {
      return Optional.of(masked(node, true, ""));
    }
    boolean plain =
        node.is("Gemm")
            && node.realAttribute("alpha", 1) == 1
            && node.realAttribute("beta", 1) == 1
            && node.intAttribute("transA", 0) == 0;
    boolean transposed = node.intAttribute("transB", 0) == 0;
    if (plain && fits(node.input(2), graph, weight.shape().dim(transposed ? 1 : 0))) {
      return Optional.of(masked(node, transposed, node.input(2)));
    }
    return Optional.empty();
  }

  private static long reads(Graph graph, String value) {
    return graph.nodes().stream()
        .flatMap(node -> node.inputs().stream())
        .filter(value::equals)
        .count();
  }

  private static boolean fits(String bias, Graph graph, long out) {
    Tensor tensor = graph.initializers().get(bias);
    return bias.isEmpty() || (tensor != null && tensor.shape().equals(Shape.of(out)));
  }

  private static Node masked(Node dense, boolean transposed, String bias) {
    List<String> inputs = new ArrayList<>(dense.inputs().subList(0, 2));
    if (!bias.isEmpty()) {
      inputs.add(bias);
    }
    return Node.of(
        dense.name(), MaskedGemm.ID, inputs, dense.outputs(), MaskedGemm.attributes(transposed));
  }
}
