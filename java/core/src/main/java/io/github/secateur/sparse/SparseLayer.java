package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.TensorType;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A layer that could run sparse: a dense product with what follows it, and the one sparse node that
 * does the same.
 *
 * @param product Gemm, MatMul or Conv
 * @param tail the bias and activation after it that a sparse product does itself, may be empty
 * @param sparse SparseGemm or SparseConv in the place of the product alone
 * @param pattern of its weight
 */
record SparseLayer(Node product, List<Node> tail, Node sparse, WeightPattern pattern) {
  /** The layers of a model whose weights have at least this fraction of zeros. */
  static List<SparseLayer> find(Model model, double minimalSparsity) {
    Graph graph = model.graph();
    List<SparseLayer> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      SparseForm.of(node, graph)
          .map(sparse -> of(graph, node, sparse))
          .filter(layer -> layer.pattern.sparsity() >= minimalSparsity)
          .ifPresent(found::add);
    }
    return found;
  }

  private static SparseLayer of(Graph graph, Node product, Node sparse) {
    WeightPattern pattern =
        WeightPattern.of(
            SparseForm.matrix(product, graph.initializer(sparse.input(1))),
            SparseForm.transposed(sparse));
    return new SparseLayer(product, Fusion.tail(graph, sparse, pattern.out()), sparse, pattern);
  }

  String name() {
    return product.name();
  }

  /** Whether the weight is stored [in, out]. */
  boolean transposed() {
    return SparseForm.transposed(sparse);
  }

  /** The name of its weight among the initializers. */
  String weight() {
    return sparse.input(1);
  }

  /** Whether it is a convolution. */
  boolean isConvolution() {
    return SparseForm.isConvolution(product);
  }

  /** Rows of its activations; of a convolution its images. */
  long rows(ShapeInference types) {
    if (isConvolution()) {
      return types.type(product.input(0)).shape().dim(0);
    }
    return types.type(product.input(0)).shape().size() / Math.max(1, pattern.in());
  }

  /** The sparse node in a format, in the place of the product alone. */
  Node sparse(SparseFormat format) {
    return isConvolution() ? sparse : sparse.with("format", new Attribute.Text(format.label()));
  }

  /**
   * This layer cut out of its model to be timed alone, dense: the product's first input is the
   * graph's input, as large as at some batch size.
   *
   * @param types of the model's values at that batch size
   */
  Model alone(Model whole, ShapeInference types) {
    Graph graph = new Graph(product.name());
    graph.inputs().add(declared(product.input(0), types.type(product.input(0))));
    List<Node> nodes = new ArrayList<>(List.of(product));
    nodes.addAll(tail);
    for (Node node : nodes) {
      for (String input : node.inputs()) {
        Tensor tensor = whole.graph().initializers().get(input);
        if (tensor != null) {
          graph.initializers().put(input, tensor);
        }
      }
    }
    graph.nodes().addAll(nodes);
    String last = nodes.getLast().output();
    graph.outputs().add(declared(last, types.type(last)));
    Model model = new Model(graph);
    model.opsets().putAll(whole.opsets());
    return model;
  }

  /** A model with layers replaced by sparse nodes, each then fused with what follows it. */
  static Model replace(Model model, List<SparseLayer> layers, List<Node> sparse) {
    Graph graph = model.graph().copy();
    for (int i = 0; i < layers.size(); i++) {
      graph.replace(layers.get(i).product, sparse.get(i));
    }
    Model replaced = model.withGraph(Fusion.fuse(graph));
    if (!layers.isEmpty()) {
      replaced.opsets().putIfAbsent(Node.SECATEUR, 1L);
    }
    return replaced;
  }

  private static ValueInfo declared(String name, TensorType type) {
    Shape shape = type.shape();
    return ValueInfo.of(
        name,
        type.dtype(),
        LongStream.of(shape.dims()).mapToObj(ValueInfo.Dim::of).toArray(ValueInfo.Dim[]::new));
  }
}
