package io.github.secateur.sparse;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.LinearLayer;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.SparseConv;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/** The sparse node that computes what a dense one does. */
final class SparseForm {
  private static final String TRANSPOSED = "transposed";

  private SparseForm() {}

  /**
   * SparseGemm for a {@link LinearLayer}, SparseConv for a convolution of one group; else empty.
   */
  static Optional<Node> of(Node node, Graph graph) {
    return node.is("Conv")
        ? convolution(node, graph)
        : LinearLayer.of(node, graph).map(SparseForm::sparse);
  }

  private static Optional<Node> convolution(Node node, Graph graph) {
    Tensor weight = graph.initializers().get(node.input(1));
    boolean fits =
        weight != null
            && weight.dtype() == DType.F32
            && weight.shape().rank() >= 3
            && weight.shape().rank() <= 4
            && node.intAttribute("group", 1) == 1
            && (node.input(2).isEmpty() || graph.initializers().containsKey(node.input(2)));
    return fits
        ? Optional.of(
            Node.of(node.name(), SparseConv.ID, node.inputs(), node.outputs(), node.attributes()))
        : Optional.empty();
  }

  /** Whether a node is a convolution, dense or sparse. */
  static boolean isConvolution(Node node) {
    return node.is("Conv") || node.op().equals(SparseConv.ID);
  }

  /** A weight as the matrix that its layer multiplies by; a filter's places are its inputs. */
  static Tensor matrix(Node node, Tensor weight) {
    long outputs = weight.shape().dim(0);
    return isConvolution(node)
        ? weight.reshape(Shape.of(outputs, outputs == 0 ? 0 : weight.size() / outputs))
        : weight;
  }

  /** Whether the weight of a sparse node is stored [in, out]. */
  static boolean transposed(Node sparse) {
    return sparse.intAttribute(TRANSPOSED, 0) != 0;
  }

  private static Node sparse(LinearLayer layer) {
    Node dense = layer.node();
    return Node.of(
        dense.name(),
        SparseGemm.ID,
        layer.inputs(),
        dense.outputs(),
        Map.of(TRANSPOSED, new Attribute.Int(layer.transposed() ? 1 : 0)));
  }
}
