package io.github.secateur.sparse;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.LinearLayer;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.op.SparseGemm;
import java.util.Map;
import java.util.Optional;

/** The sparse node that computes what a dense one does. */
final class SparseForm {
  private static final String TRANSPOSED = "transposed";

  private SparseForm() {}

  /** SparseGemm for a {@link LinearLayer}; else empty. */
  static Optional<Node> of(Node node, Graph graph) {
    return LinearLayer.of(node, graph).map(SparseForm::sparse);
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
