package io.github.secateur.sparse;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The sparse node that computes what a dense one does. */
final class SparseForm {
  private static final String TRANSPOSED = "transposed";

  private SparseForm() {}

  /**
   * SparseGemm for a MatMul, or a Gemm with alpha = beta = 1 and A as stored, whose second input is
   * an F32 matrix among the initializers, and whose bias, if any, is one number an output unit;
   * else empty.
   */
  static Optional<Node> of(Node node, Graph graph) {
    Tensor weight = graph.initializers().get(node.input(1));
    if (weight == null || weight.dtype() != DType.F32 || weight.shape().rank() != 2) {
      return Optional.empty();
    }
    if (node.is("MatMul")) {
      return Optional.of(sparse(node, true, ""));
    }
    boolean plain =
        node.is("Gemm")
            && node.realAttribute("alpha", 1) == 1
            && node.realAttribute("beta", 1) == 1
            && node.intAttribute("transA", 0) == 0;
    boolean transposed = node.intAttribute("transB", 0) == 0;
    if (plain && fits(node.input(2), graph, weight.shape().dim(transposed ? 1 : 0))) {
      return Optional.of(sparse(node, transposed, node.input(2)));
    }
    return Optional.empty();
  }

  /** Whether the weight of a sparse node is stored [in, out]. */
  static boolean transposed(Node sparse) {
    return sparse.intAttribute(TRANSPOSED, 0) != 0;
  }

  private static boolean fits(String bias, Graph graph, long out) {
    Tensor tensor = graph.initializers().get(bias);
    return bias.isEmpty() || (tensor != null && tensor.shape().equals(Shape.of(out)));
  }

  private static Node sparse(Node dense, boolean transposed, String bias) {
    List<String> inputs = new ArrayList<>(dense.inputs().subList(0, 2));
    if (!bias.isEmpty()) {
      inputs.add(bias);
    }
    return Node.of(
        dense.name(),
        SparseGemm.ID,
        inputs,
        dense.outputs(),
        Map.of(TRANSPOSED, new Attribute.Int(transposed ? 1 : 0)));
  }
}
