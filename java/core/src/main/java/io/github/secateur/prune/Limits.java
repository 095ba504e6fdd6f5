package io.github.secateur.prune;

import java.util.Map;
import java.util.Set;

/**
 * Bounds that hold for each layer whatever the allocation; what a layer may not give, others give.
 *
 * @param maxPruned largest share of a layer that may go, 0..1
 * @param maxPrunedOf the same for single layers by name
 * @param minKept weights (units, under structural patterns) that each layer keeps at least
 * @param exclude names of layers that are never pruned; they do not count as prunable
 * @param frozen names of layers whose masks stay as they are; they count with those
 */
public record Limits(
    double maxPruned,
    Map<String, Double> maxPrunedOf,
    long minKept,
    Set<String> exclude,
    Set<String> frozen) {
  /** No bounds. */
  public static final Limits NONE = new Limits(1, Map.of(), 0, Set.of(), Set.of());

  /** Checks the ranges. */
  public Limits {
    maxPrunedOf = Map.copyOf(maxPrunedOf);
    exclude = Set.copyOf(exclude);
    frozen = Set.copyOf(frozen);
    requireShare("the largest share of a layer that may be pruned", maxPruned);
    maxPrunedOf.forEach(
        (layer, share) ->
            requireShare("the largest share of layer '" + layer + "' that may be pruned", share));
    if (minKept < 0) {
      throw new IllegalArgumentException("a layer cannot keep " + minKept + " weights");
    }
  }

  private static void requireShare(String what, double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException(what + " must be between 0 and 1, got " + share);
    }
  }
}
