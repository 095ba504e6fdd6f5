package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Spreads a sparsity over layers of single weights, within their limits. With K = round-half-even(s
 * · n) of all n prunable weights, frozen layers included:
 *
 * <ul>
 *   <li>global, ERK and LAMP prune exactly K;
 *   <li>per layer, per output and by ratios prune what {@link Quotas#of} says, and no other number
 *       in all where limits shift it between layers: what one may not give, the others give, at one
 *       sparsity for all that are not at a limit ({@link WaterFilling}); ratios are given by hand,
 *       so one beyond a limit is an error;
 *   <li>more goes only where more is pruned already.
 * </ul>
 *
 * <p>On a gradual schedule ERK holds at its end; before, each layer has lost the same part of what
 * it is to lose. LAMP is taken anew from the weights at every step, as a criterion is.
 */
record Allocator(
    Allocation allocation, Limits limits, Masker.Work work, Function<Masker.Work, Masker> maskers) {
  /**
   * The numbers of a pruning step.
   *
   * @param scores of this step; read where a global threshold meets limits
   * @param target where the schedule ends
   */
  Quotas quotas(WeightScores scores, double sparsity, double target) {
    boolean free = !restricts();
    return switch (allocation) {
      case Allocation.Global() ->
          free
              ? Quotas.of(allocation, layers(), sparsity, target)
              : global(scores, bounds(), sparsity);
      case Allocation.PerLayer(), Allocation.PerOutput() ->
          free
              ? Quotas.of(allocation, layers(), sparsity, target)
              : even(Quotas.of(allocation, layers(), sparsity, target).k());
      case Allocation.Erk() -> Quotas.byLayer(Quotas.erk(layers(), sparsity, target, bounds()));
      case Allocation.Lamp() -> Quotas.byLayer(lamp(sparsity));
      case Allocation.Ratios(Map<String, Double> ratios) -> {
        Quotas quotas = Quotas.of(allocation, layers(), sparsity, target);
        if (!free) {
          requireAllowed(ratios, quotas.k(), bounds());
        }
        yield quotas;
      }
    };
  }

  /** Whether there are limits other than excluded layers(), which are not among these. */
  boolean restricts() {
    return limits.maxPruned() < 1
        || limits.minKept() > 0
        || !limits.maxPrunedOf().isEmpty()
        || !limits.frozen().isEmpty();
  }

  /** The same sparsity in all layers that are not at a bound. */
  private Quotas even(long[] wanted) {
    Bounds bounds = bounds();
    if (bounds.allow(wanted)) {
      return Quotas.byLayer(wanted);
    }
    double[] sizes = layers().stream().mapToDouble(Layer::size).toArray();
    long total = bounds.total(Arrays.stream(wanted).sum());
    return Quotas.byLayer(WaterFilling.fill(sizes, bounds.low(), bounds.high(), total));
  }

  /**
   * One threshold for all layers but those it would take beyond their limit, which lose what they
   * may: select, set those layers to their limit, select again among the others, which can only
   * lose more by that; at most one selection a layer. With blocks and lines the numbers are met to
   * the nearest block or line.
   */
  private Quotas global(WeightScores scores, Bounds bounds, double sparsity) {
    long total = bounds.total(Quotas.count(sparsity, Quotas.total(layers())));
    boolean[] full = new boolean[layers().size()];
    for (int i = 0; i < full.length; i++) {
      full[i] = bounds.low()[i] == bounds.high()[i];
    }
    while (true) {
      Quotas quotas = sharing(full, bounds.high(), total);
      try (Trial trial = new Trial(work.site(), layers())) {
        Masker.Work trying = new Masker.Work(trial, layers(), work.criterion());
        maskers.apply(trying).mask(new Masker.Step(scores, quotas, sparsity, 1));
        if (!overfull(trial, bounds.high(), full)) {
          return quotas;
        }
      }
    }
  }

  /** Full layers by themselves, the others under one threshold for the rest of the total. */
  private static Quotas sharing(boolean[] full, long[] high, long total) {
    int[] group = new int[full.length];
    long[] k = new long[full.length + 1];
    k[0] = total;
    int groups = 1;
    for (int i = 0; i < full.length; i++) {
      if (full[i]) {
        group[i] = groups;
        k[groups++] = high[i];
        k[0] -= high[i];
      }
    }
    return new Quotas(group, Arrays.copyOf(k, groups));
  }

  /** Marks as full the layers that would lose more than they may; whether there are any new. */
  private boolean overfull(Site trial, long[] high, boolean[] full) {
    PruneOps prune = trial.device().prune();
    boolean any = false;
    for (int i = 0; i < full.length; i++) {
      Layer layer = layers().get(i);
      if (!full[i] && layer.size() - prune.keptCount(trial.mask(layer.parameter())) > high[i]) {
        full[i] = true;
        any = true;
      }
    }
    return any;
  }

  /** The weights of a site under copies of its masks. */
  private static final class Trial implements Site, AutoCloseable {
    private final Site site;
    private final Map<String, DeviceMask> masks = new LinkedHashMap<>();

    Trial(Site site, List<Layer> layers) {
      this.site = site;
      try {
        layers.forEach(layer -> copy(layer.parameter()));
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    private void copy(String parameter) {
      DeviceMask mask = site.mask(parameter);
      long bytes = mask.words().byteSize();
      DeviceMask copy = new DeviceMask(device().allocate(bytes), mask.shape());
      masks.put(parameter, copy);
      device().copy(mask.words(), 0, copy.words(), 0, bytes);
    }

    @Override
    public Device device() {
      return site.device();
    }

    @Override
    public DeviceTensor weight(String parameter) {
      return site.weight(parameter);
    }

    @Override
    public DeviceMask mask(String parameter) {
      return masks.get(parameter);
    }

    @Override
    public void close() {
      masks.values().forEach(DeviceMask::close);
    }
  }

  private List<Layer> layers() {
    return work.layers();
  }

  private Bounds bounds() {
    return Bounds.of(work.site(), layers(), limits);
  }

  private long[] lamp(double sparsity) {
    Bounds bounds = bounds();
    long total = bounds.total(Quotas.count(sparsity, Quotas.total(layers())));
    List<LampScores> scores = new ArrayList<>();
    for (Layer layer : layers()) {
      scores.add(
          LampScores.of(layer, work.site().device().toHost(work.site().weight(layer.parameter()))));
    }
    return LampScores.smallest(scores, bounds, total);
  }

  private void requireAllowed(Map<String, Double> ratios, long[] k, Bounds bounds) {
    for (int i = 0; i < k.length; i++) {
      Layer layer = layers().get(i);
      if (ratios.containsKey(layer.name()) && k[i] > bounds.high()[i]) {
        throw new IllegalArgumentException(
            "layer '%s' is to lose %d of %d weights by its ratio, but its limits let %d go; change"
                    .formatted(layer.name(), k[i], layer.size(), bounds.high()[i])
                + " one of them");
      }
    }
  }
}
