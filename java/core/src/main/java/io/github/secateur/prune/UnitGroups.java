package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import java.util.List;

/** Finds the units of a model that may be pruned. */
final class UnitGroups {
  private UnitGroups() {}

  /**
   * Units that may be pruned, in graph order: those of graph outputs are left out, and those whose
   * tensors are not all F32 initializers, which cannot be masked.
   */
  static List<UnitGroup> of(Model model) {
    return Coupling.groups(model).stream()
        .filter(Coupling.Group::prunable)
        .filter(group -> isMaskable(model, group))
        .map(UnitGroup::of)
        .toList();
  }

  /**
   * Why there are none.
   *
   * @return one sentence for each group that has to stay
   */
  static List<String> obstacles(Model model) {
    return Coupling.groups(model).stream()
        .filter(group -> !group.prunable() || !isMaskable(model, group))
        .map(group -> "units of '%s' stay: %s".formatted(group.layer(), reason(group)))
        .toList();
  }

  private static String reason(Coupling.Group group) {
    if (group.reachesOutput()) {
      return "a graph output shows them";
    }
    return group.obstacle().isEmpty() ? "their tensors are no F32 initializers" : group.obstacle();
  }

  private static boolean isMaskable(Model model, Coupling.Group group) {
    return group.masked().stream()
        .map(slice -> model.graph().initializers().get(slice.parameter()))
        .allMatch(tensor -> tensor != null && tensor.dtype() == DType.F32);
  }
}
