package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A node that computes y [..., out] = x [..., in] · Wᵀ + bias with an initializer W: what a sparse
 * or masked product can take the place of.
 *
 * @param node a MatMul or Gemm
 * @param transposed whether W is stored [in, out]
 * @param inputs x, W, and the bias if there is one
 */
public record LinearLayer(Node node, boolean transposed, List<String> inputs) {
  /** Copies the list. */
  public LinearLayer {
    inputs = List.copyOf(inputs);
  }

  /**
   * A MatMul, or a Gemm with alpha = beta = 1 and A as stored, whose second input is an F32 matrix
   * among the initializers, and whose bias, if any, is one number an output unit; else empty.
   */
  public static Optional<LinearLayer> of(Node node, Graph graph) {
    Tensor weight = graph.initializers().get(node.input(1));
    if (weight == null || weight.dtype() != DType.F32 || weight.shape().rank() != 2) {
      return Optional.empty();
    }
    if (node.is("MatMul")) {
      return Optional.of(layer(node, true, ""));
    }
    boolean plain =
        node.is("Gemm")
            && node.realAttribute("alpha", 1) == 1
            && node.realAttribute("beta", 1) == 1
            && node.intAttribute("transA", 0) == 0;
    boolean transposed = node.intAttribute("transB", 0) == 0;
    if (plain && fits(node.input(2), graph, weight.shape().dim(transposed ? 1 : 0))) {
      return Optional.of(layer(node, transposed, node.input(2)));
    }
    return Optional.empty();
  }

  private static boolean fits(String bias, Graph graph, long out) {
    Tensor tensor = graph.initializers().get(bias);
    return bias.isEmpty() || (tensor != null && tensor.shape().equals(Shape.of(out)));
  }

  private static LinearLayer layer(Node node, boolean transposed, String bias) {
    List<String> inputs = new ArrayList<>(node.inputs().subList(0, 2));
    if (!bias.isEmpty()) {
      inputs.add(bias);
    }
    return new LinearLayer(node, transposed, inputs);
  }
}
