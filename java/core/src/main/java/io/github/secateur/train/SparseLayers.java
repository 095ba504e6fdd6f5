package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Parameters;
import io.github.secateur.exec.SparseWeights;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which layers of a run train sparse. A layer is packed from its break-even sparsity on, and packed
 * anew whenever its mask changed; its values are refreshed at every step.
 */
final class SparseLayers implements AutoCloseable {
  private final Device device;
  private final SparseMode mode;
  private final Parameters parameters;
  private final SparseWeights weights;
  private final Set<String> changed = new HashSet<>();
  private final Map<String, Double> breakEven = new TreeMap<>();

  SparseLayers(SparseMode mode, Parameters parameters) {
    this.device = parameters.device();
    this.mode = mode;
    this.parameters = parameters;
    this.weights = new SparseWeights(parameters);
  }

  /** For executables; null when nothing ever runs sparse. */
  SparseWeights weights() {
    return mode == SparseMode.OFF ? null : weights;
  }

  /** A mask was written. */
  void maskChanged(String parameter) {
    changed.add(parameter);
  }

  /**
   * Packs what is to run sparse in the coming step.
   *
   * @param replace called before anything that recorded work uses is replaced
   */
  void prepare(Map<String, DeviceMask> masks, Runnable replace) {
    if (mode == SparseMode.OFF || (changed.isEmpty() && weights.fits())) {
      return;
    }
    Map<String, Double> sparsities = new LinkedHashMap<>();
    for (String name : weights.names()) {
      if (changed.contains(name) && masks.containsKey(name)) {
        sparsities.put(name, sparsity(masks.get(name), parameters.get(name)));
      }
    }
    if (mode == SparseMode.AUTO && breakEven.isEmpty() && isAnyPruned(sparsities)) {
      weights.names().forEach(name -> breakEven.put(name, measure(name)));
    }
    replace.run();
    sparsities.forEach(
        (name, sparsity) -> {
          if (isSparse(name, sparsity)) {
            weights.pack(name, masks.get(name));
          } else {
            weights.unpack(name);
          }
        });
    weights.fit();
    changed.clear();
  }

  private double sparsity(DeviceMask mask, DeviceTensor weight) {
    return 1 - (double) device.prune().keptCount(mask) / Math.max(1, weight.size());
  }

  private static boolean isAnyPruned(Map<String, Double> sparsities) {
    return sparsities.values().stream().anyMatch(s -> s > 0);
  }

  private boolean isSparse(String name, double sparsity) {
    return sparsity > 0
        && (mode == SparseMode.ON || sparsity >= breakEven.getOrDefault(name, LayerTrial.NEVER));
  }

  private double measure(String name) {
    if (device.info().simulated()) {
      return LayerTrial.NEVER;
    }
    DeviceTensor weight = parameters.get(name);
    try (LayerTrial layer =
        new LayerTrial(
            device,
            weight,
            weights.isTransposed(name),
            weights.rows(name),
            weights.hasInputGradient(name))) {
      return layer.measure();
    }
  }

  /** Takes the current values of what runs sparse. */
  void refresh() {
    weights.refresh();
  }

  /** Break-even sparsities as measured, by parameter; empty before, and when none are needed. */
  Map<String, Double> breakEven() {
    return Map.copyOf(breakEven);
  }

  /** Takes back what {@link #breakEven} gave. */
  void restore(Map<String, Double> measured) {
    breakEven.clear();
    breakEven.putAll(measured);
  }

  /** What ran how, as the end of a sentence; empty when sparse training was not asked for. */
  String describe() {
    if (mode == SparseMode.OFF) {
      return "";
    }
    if (mode == SparseMode.AUTO && device.info().simulated()) {
      return ", all dense since a simulated device cannot be timed";
    }
    Set<String> sparse =
        weights.names().stream()
            .filter(weights::isPacked)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    String text =
        ", %d of %d layers trained sparse".formatted(sparse.size(), weights.names().size());
    return mode == SparseMode.AUTO && !sparse.isEmpty()
        ? text
            + sparse.stream()
                .map(n -> String.format(Locale.ROOT, "%s from %.0f %%", n, 100 * breakEven.get(n)))
                .collect(Collectors.joining(", ", " (", ")"))
        : text;
  }

  @Override
  public void close() {
    weights.close();
  }
}
