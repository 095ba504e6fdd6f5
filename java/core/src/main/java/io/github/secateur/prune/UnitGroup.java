package io.github.secateur.prune;

import java.util.List;

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
  /**
   * A tensor's share in the units.
   *
   * @param parameter name of the tensor
   * @param axis that runs over the units
   * @param block neighbouring indices along the axis that belong to one unit
   */
  record Slice(String parameter, int axis, int block) {}

  /** All tensors that pruning a unit masks. */
  List<Slice> slices() {
    return java.util.stream.Stream.of(incoming, own, outgoing).flatMap(List::stream).toList();
  }
}
