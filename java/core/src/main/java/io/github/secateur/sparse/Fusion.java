package io.github.secateur.sparse;

import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.SparseConv;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lets a sparse product do what follows it: SparseGemm, then Add of a bias [out], then Relu,
 * LeakyRelu, Sigmoid, Tanh or Gelu become one SparseGemm with that bias and activation; SparseConv
 * takes the activation.
 *
 * <p>Only where the value between is read by the next node alone and is no output of the graph.
 */
final class Fusion {
  private Fusion() {}

  /** The graph with every sparse product fused with what follows it; the given one is unchanged. */
  static Graph fuse(Graph given) {
    Graph graph = given.copy();
    for (Node node : given.nodes()) {
      if (node.op().equals(SparseGemm.ID) || node.op().equals(SparseConv.ID)) {
        fuse(graph, node);
      }
    }
    return graph;
  }

  private static void fuse(Graph graph, Node product) {
    List<Node> tail = tail(graph, product, weightOut(product, graph));
    Node fused = product;
    for (Node next : tail) {
      fused = next.is("Add") ? withBias(fused, next) : withActivation(fused, next);
    }
    if (!tail.isEmpty()) {
      // Where the product was: its inputs are there, and everything that reads it comes later.
      graph.replace(product, fused);
      graph.nodes().removeAll(tail);
      graph.values().removeIf(v -> isInner(v, product, tail));
    }
  }

  /** Declared types of values that are gone. */
  private static boolean isInner(ValueInfo value, Node product, List<Node> tail) {
    return value.name().equals(product.output())
        || tail.subList(0, tail.size() - 1).stream().anyMatch(n -> n.output().equals(value.name()));
  }

  /**
   * The nodes after a product that it could do itself, in order: an Add of a bias where it has
   * none, an activation where it has none.
   *
   * @param product SparseGemm, Gemm or MatMul
   * @param out its outputs
   */
  static List<Node> tail(Graph graph, Node product, long out) {
    List<Node> tail = new ArrayList<>();
    if (!product.textAttribute("activation", "").isEmpty()) {
      return tail;
    }
    Optional<Node> next = onlyReader(graph, product.output());
    // A vector that is added to images runs along their width, not over their channels.
    if (!SparseForm.isConvolution(product)
        && product.input(2).isEmpty()
        && next.isPresent()
        && bias(graph, next.get(), product.output(), out).isPresent()) {
      tail.add(next.get());
      next = onlyReader(graph, next.get().output());
    }
    next.filter(node -> activation(node).isPresent()).ifPresent(tail::add);
    return tail;
  }

  private static long weightOut(Node product, Graph graph) {
    Tensor weight = graph.initializers().get(product.input(1));
    return weight == null ? -1 : weight.shape().dim(SparseForm.transposed(product) ? 1 : 0);
  }

  private static Optional<String> bias(Graph graph, Node add, String value, long out) {
    if (!add.is("Add")) {
      return Optional.empty();
    }
    String other = add.input(0).equals(value) ? add.input(1) : add.input(0);
    Tensor bias = graph.initializers().get(other);
    boolean fits = bias != null && bias.dtype() == DType.F32 && bias.shape().equals(Shape.of(out));
    return fits ? Optional.of(other) : Optional.empty();
  }

  /** The function of an activation that can be fused. */
  static Optional<NnOps.Unary> activation(Node node) {
    if (!node.domain().isEmpty() && !node.domain().equals("ai.onnx")) {
      return Optional.empty();
    }
    return switch (node.opType()) {
      case "Relu" -> Optional.of(NnOps.Unary.RELU);
      case "LeakyRelu" -> Optional.of(NnOps.Unary.LEAKY_RELU);
      case "Sigmoid" -> Optional.of(NnOps.Unary.SIGMOID);
      case "Tanh" -> Optional.of(NnOps.Unary.TANH);
      case "Gelu" ->
          switch (node.textAttribute("approximate", "none")) {
            case "none" -> Optional.of(NnOps.Unary.GELU);
            case "tanh" -> Optional.of(NnOps.Unary.GELU_TANH);
            default -> Optional.empty();
          };
      default -> Optional.empty();
    };
  }

  private static Node withBias(Node product, Node add) {
    String bias = add.input(0).equals(product.output()) ? add.input(1) : add.input(0);
    List<String> inputs = List.of(product.input(0), product.input(1), bias);
    return Node.of(product.name(), product.op(), inputs, add.outputs(), product.attributes());
  }

  private static Node withActivation(Node product, Node activation) {
    NnOps.Unary function = activation(activation).orElseThrow();
    Node fused =
        Node.of(
                product.name(),
                product.op(),
                product.inputs(),
                activation.outputs(),
                product.attributes())
            .with("activation", new Attribute.Text(function.name()));
    return function == NnOps.Unary.LEAKY_RELU
        ? fused.with("alpha", new Attribute.Real(activation.realAttribute("alpha", 0.01f)))
        : fused;
  }

  /** The node that reads a value, when nothing else does: no other node, subgraph or output. */
  private static Optional<Node> onlyReader(Graph graph, String value) {
    if (graph.outputs().stream().anyMatch(o -> o.name().equals(value))) {
      return Optional.empty();
    }
    List<Node> readers = graph.nodes().stream().filter(n -> reads(n, value)).toList();
    boolean once =
        readers.size() == 1
            && readers.getFirst().inputs().stream().filter(value::equals).count() == 1;
    return once ? Optional.of(readers.getFirst()) : Optional.empty();
  }

  private static boolean reads(Node node, String value) {
    return node.inputs().contains(value)
        || node.attributes().values().stream()
            .anyMatch(a -> a instanceof Attribute.Subgraph(Graph body) && captures(body, value));
  }

  private static boolean captures(Graph body, String value) {
    return body.outputs().stream().anyMatch(o -> o.name().equals(value))
        || body.nodes().stream().anyMatch(n -> reads(n, value));
  }
}
