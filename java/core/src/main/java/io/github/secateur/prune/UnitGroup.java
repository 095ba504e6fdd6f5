package io.github.secateur.prune;

import io.github.secateur.graph.Coupling.Slice;
import java.util.List;
import java.util.stream.Stream;

/**
 * The output units of a layer and all that goes when one of them goes.
 *
 * @param layer name of the layer's node
 * @param units number of units
 * @param value the units' output after the nonlinearity, [batch, units]
 * @param activation operator of that nonlinearity, empty for none
 * @param incoming prunable weights that make the units
 * @param own bias and the like, one element a unit
 * @param outgoing prunable weights that read the units
 */
record UnitGroup(
    String layer,
    int units,
    String value,
    String activation,
    List<Slice> incoming,
    List<Slice> own,
    List<Slice> outgoing) {
  /** All tensors that pruning a unit masks. */
  List<Slice> slices() {
    return Stream.of(incoming, own, outgoing).flatMap(List::stream).toList();
  }
}
