package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.tensor.DType;
import java.util.List;
import java.util.stream.Collectors;

/** Finds what is prunable in models that can be trained. */
final class Layers {
  private Layers() {}

  /**
   * Prunable F32 initializers of the main graph, in the order of the nodes that use them.
   *
   * @throws IllegalArgumentException when there is none
   */
  static List<Layer> trainable(Model model) {
    return trainable(model, Limits.NONE);
  }

  /**
   * The same without those that limits exclude.
   *
   * @throws IllegalArgumentException when there is none, or limits name a layer that is not there
   */
  static List<Layer> trainable(Model model, Limits limits) {
    List<Layer> all =
        Prunables.find(model).stream()
            .filter(p -> p.dtype() == DType.F32)
            .filter(p -> model.graph().initializers().containsKey(p.parameter()))
            .map(Layers::of)
            .toList();
    if (all.isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no prunable weight: no layer reads an F32 initializer");
    }
    limits.exclude().forEach(name -> requireKnown(name, all));
    limits.frozen().forEach(name -> requireKnown(name, all));
    limits.maxPrunedOf().keySet().forEach(name -> requireKnown(name, all));
    List<Layer> left =
        all.stream().filter(layer -> !limits.exclude().contains(layer.name())).toList();
    if (left.isEmpty()) {
      throw new IllegalArgumentException(
          "every prunable layer is excluded; leave one of %s to prune".formatted(names(all)));
    }
    return left;
  }

  /**
   * Refuses a name that no layer has.
   *
   * @throws IllegalArgumentException naming it, and those that are there
   */
  static void requireKnown(String name, List<Layer> layers) {
    if (layers.stream().noneMatch(layer -> layer.name().equals(name))) {
      throw new IllegalArgumentException(
          "there is no prunable layer '%s'; there are %s".formatted(name, names(layers)));
    }
  }

  private static String names(List<Layer> layers) {
    return layers.stream().map(Layer::name).collect(Collectors.joining(", "));
  }

  /** A prunable weight as a layer. */
  static Layer of(Prunable p) {
    return new Layer(p.layer(), p.parameter(), p.shape(), p.outAxis(), p.inAxis());
  }
}
