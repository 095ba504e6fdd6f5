package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import java.util.List;
import java.util.Optional;

/** Finds the hidden neurons of a model. */
final class UnitGroups {
  private UnitGroups() {}

  /** Units that may be pruned, by layer, in graph order; those of graph outputs are left out. */
  static List<UnitGroup> of(Model model) {
    return Coupling.groups(model).stream()
        .filter(Coupling.Group::prunable)
        .map(group -> of(model.graph(), group))
        .toList();
  }

  private static UnitGroup of(Graph graph, Coupling.Group group) {
    return new UnitGroup(
        group.layer(),
        Math.toIntExact(group.units()),
        group.output(),
        activation(graph, group),
        List.of(group.weight()),
        group.vectors(),
        group.consumers());
  }

  /** Operator that makes the value which the next layers read, reshaping and dropout set aside. */
  private static String activation(Graph graph, Coupling.Group group) {
    String value = group.output();
    while (true) {
      Optional<Node> producer = graph.producer(value);
      if (producer.isEmpty() || producer.get().output().equals(group.values().getFirst())) {
        return "";
      }
      Node node = producer.get();
      if (!node.is("Dropout") && !node.is("Identity") && !node.is("Flatten")) {
        return node.opType();
      }
      value = node.input(0);
    }
  }
}
