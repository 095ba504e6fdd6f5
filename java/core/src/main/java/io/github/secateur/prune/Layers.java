package io.github.secateur.prune;

import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Finds what is prunable in models that can be trained. */
final class Layers {
  private Layers() {}

  /**
   * Prunable F32 initializers of the main graph.
   *
   * @throws IllegalArgumentException when there is none
   */
  static List<Layer> trainable(Model model) {
    Graph graph = model.graph();
    List<Layer> layers = new ArrayList<>();
    for (Node node : graph.nodes()) {
      Tensor weight = graph.initializers().get(node.input(1));
      if ((node.is("Gemm") || node.is("MatMul"))
          && weight != null
          && weight.dtype() == DType.F32
          && weight.shape().rank() == 2) {
        int axis = node.intAttribute("transB", 0) != 0 ? 0 : 1;
        layers.add(new Layer(node.name(), node.input(1), weight.shape(), axis));
      }
    }
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no prunable weight: no Gemm or MatMul node reads an F32 initializer");
    }
    return layers;
  }
}
