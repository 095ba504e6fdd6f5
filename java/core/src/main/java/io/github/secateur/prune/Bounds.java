package io.github.secateur.prune;

import java.util.List;
import java.util.Locale;

/**
 * How many weights each layer may lose, by {@link Limits} and by what is pruned already.
 *
 * @param low pruned already, as masks only shrink
 * @param high at most
 */
record Bounds(List<Layer> layers, long[] low, long[] high) {
  /** Those of layers as they are now. */
  static Bounds of(Site site, List<Layer> layers, Limits limits) {
    long[] pruned = new long[layers.size()];
    for (int i = 0; i < pruned.length; i++) {
      Layer layer = layers.get(i);
      pruned[i] = layer.size() - site.device().prune().keptCount(site.mask(layer.parameter()));
    }
    return of(layers, limits, pruned);
  }

  /**
   * The same from the numbers pruned so far. A layer that has lost more than its limit loses no
   * more.
   */
  static Bounds of(List<Layer> layers, Limits limits, long[] pruned) {
    long[] high = new long[pruned.length];
    for (int i = 0; i < pruned.length; i++) {
      Layer layer = layers.get(i);
      double share = limits.maxPrunedOf().getOrDefault(layer.name(), limits.maxPruned());
      long most = (long) Math.nextUp(share * layer.size()); // 0.29 · 100 is 28.999999999999996
      most = Math.min(Math.min(most, layer.size()), layer.size() - limits.minKept());
      high[i] = limits.frozen().contains(layer.name()) ? pruned[i] : Math.max(most, pruned[i]);
    }
    return new Bounds(layers, pruned, high);
  }

  /** Whether these numbers keep within them. */
  boolean allow(long[] k) {
    for (int i = 0; i < k.length; i++) {
      if (k[i] < low[i] || k[i] > high[i]) {
        return false;
      }
    }
    return true;
  }

  /**
   * A total that they allow: the one wanted, or what is pruned already if that is more.
   *
   * @throws IllegalArgumentException when it is more than all layers together may lose
   */
  long total(long wanted) {
    long least = 0;
    long most = 0;
    for (int i = 0; i < low.length; i++) {
      least += low[i];
      most += high[i];
    }
    if (wanted > most) {
      long all = Quotas.total(layers);
      throw new IllegalArgumentException(
          "the limits of the layers let %d of %d weights go, a sparsity of %s, but %d are to go, %s;"
                  .formatted(most, all, share(most, all), wanted, share(wanted, all))
              + " loosen a limit or prune less");
    }
    return Math.max(wanted, least);
  }

  private static String share(long part, long all) {
    return String.format(Locale.ROOT, "%.4f", all == 0 ? 0 : (double) part / all);
  }
}
