package io.github.secateur.prune;

import io.github.secateur.graph.Coupling;
import io.github.secateur.graph.Coupling.Slice;
import java.util.List;
import java.util.stream.Stream;

/**
 * The units of a layer, or of several whose units are tied, and all that goes when one of them
 * goes.
 *
 * @param layers names of the nodes that make the units
 * @param units number of units
 * @param read values that the next layers read: the units after their nonlinearity
 * @param activations operators that make these values, empty for none
 * @param incoming prunable weights that make the units
 * @param own bias and scales and shifts, one element a unit
 * @param outgoing prunable weights that read the units
 * @param statistics of normalizations: cut with a unit, but not masked
 */
record UnitGroup(
    List<String> layers,
    int units,
    List<Slice> read,
    List<String> activations,
    List<Slice> incoming,
    List<Slice> own,
    List<Slice> outgoing,
    List<Slice> statistics) {
  /** What a coupled group is to pruning. */
  static UnitGroup of(Coupling.Group group) {
    return new UnitGroup(
        group.layers(),
        Math.toIntExact(group.units()),
        group.read(),
        group.activations(),
        group.incoming(),
        group.vectors(),
        group.consumers(),
        group.statistics());
  }

  /** The first of the layers. */
  String layer() {
    return layers.getFirst();
  }

  /** All tensors that pruning a unit masks. */
  List<Slice> slices() {
    return Stream.of(incoming, own, outgoing).flatMap(List::stream).toList();
  }
}
