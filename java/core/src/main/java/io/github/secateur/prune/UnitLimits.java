package io.github.secateur.prune;

import java.util.List;

/**
 * How many units of each group stay at least: one, {@code minKept}, and what {@code maxPruned}
 * leaves, which for tied layers is the most that one of them asks for, rounded up to a multiple
 * where units go in multiples. All units stay that an excluded layer makes (weights of an excluded
 * layer that read units of others go with those), and all that a frozen layer makes or reads, for
 * its mask stays as it is.
 */
final class UnitLimits {
  private UnitLimits() {}

  /** Units to keep, by group of a network. */
  static int[] keep(UnitPruner.Network network) {
    List<UnitGroup> groups = network.groups();
    int[] keep = new int[groups.size()];
    for (int g = 0; g < keep.length; g++) {
      UnitGroup group = groups.get(g);
      keep[g] =
          stays(group, network.layers(), network.limits())
              ? group.units()
              : keep(group, network.limits(), network.roundTo());
    }
    return keep;
  }

  private static int keep(UnitGroup group, Limits limits, int roundTo) {
    double share = 1;
    for (String layer : group.layers()) {
      share = Math.min(share, limits.maxPrunedOf().getOrDefault(layer, limits.maxPruned()));
    }
    // A share such as 0.3 of 10 units is 3, not the 2 that 0.3 in binary would leave.
    int mayGo = (int) Math.floor(share * group.units() * (1 + 1e-12));
    long least = Math.max(Math.max(1, limits.minKept()), group.units() - mayGo);
    return (int) Math.min(group.units(), Math.ceilDiv(least, roundTo) * roundTo);
  }

  private static boolean stays(UnitGroup group, List<Layer> layers, Limits limits) {
    if (group.layers().stream().anyMatch(limits.exclude()::contains)) {
      return true;
    }
    List<String> frozen =
        layers.stream()
            .filter(layer -> limits.frozen().contains(layer.name()))
            .map(Layer::parameter)
            .toList();
    return group.slices().stream().anyMatch(slice -> frozen.contains(slice.parameter()));
  }
}
