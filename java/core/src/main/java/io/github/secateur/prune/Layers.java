package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.tensor.DType;
import java.util.List;

/** Finds what is prunable in models that can be trained. */
final class Layers {
  private Layers() {}

  /**
   * Prunable F32 initializers of the main graph, in the order of the nodes that use them.
   *
   * @throws IllegalArgumentException when there is none
   */
  static List<Layer> trainable(Model model) {
    List<Layer> layers =
        Prunables.find(model).stream()
            .filter(p -> p.dtype() == DType.F32)
            .filter(p -> model.graph().initializers().containsKey(p.parameter()))
            .map(Layers::of)
            .toList();
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no prunable weight: no layer reads an F32 initializer");
    }
    return layers;
  }

  /** A prunable weight as a layer. */
  static Layer of(Prunable p) {
    return new Layer(p.layer(), p.parameter(), p.shape(), p.outAxis());
  }
}
