package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Lets layers of a pruned model run from a packed sparse layout, each only where that was measured
 * faster than dense on this device at this batch size, and the whole model only where it then is
 * not slower end to end.
 */
public final class Sparsify {
  /**
   * How to choose.
   *
   * @param minimalGain a layer leaves dense only when that shortens its time by this fraction
   * @param minimalSparsity layers with a smaller fraction of zeros stay dense unmeasured
   * @param repeats samples of each time; what is clearly slower gets fewer
   * @param cache where times are kept between runs
   * @param breakEven whether to find the sparsity from which each layer's shape pays sparse
   */
  public record Options(
      double minimalGain, double minimalSparsity, int repeats, TuneCache cache, boolean breakEven) {
    /** Checks the ranges. */
    public Options {
      if (!(minimalGain >= 0 && minimalGain < 1)
          || !(minimalSparsity >= 0 && minimalSparsity <= 1)
          || repeats < 1) {
        throw new IllegalArgumentException(
            "sparsify needs a gain in [0, 1), a sparsity in [0, 1] and 1 or more repeats, got %s"
                    .formatted(minimalGain)
                + ", %s and %d".formatted(minimalSparsity, repeats));
      }
      Objects.requireNonNull(cache, "cache");
    }

    /** 5 % gain, 30 % zeros, 15 repeats, times kept in the standard folder, no break-even. */
    public static Options defaults() {
      return new Options(0.05, 0.3, 15, TuneCache.standard(), false);
    }

    /** The same with other repeats. */
    public Options withRepeats(int other) {
      return new Options(minimalGain, minimalSparsity, other, cache, breakEven);
    }

    /** The same with times kept elsewhere, measured anew, or not kept. */
    public Options with(TuneCache other) {
      return new Options(minimalGain, minimalSparsity, repeats, other, breakEven);
    }

    /** The same, also finding where layers break even. */
    public Options withBreakEven() {
      return new Options(minimalGain, minimalSparsity, repeats, cache, true);
    }
  }

  /**
   * Prepares a model for each batch size.
   *
   * @param pruned with zeros in its weights, as masks leave them
   * @param batches samples a run
   * @return one result a batch size, in order
   * @throws IllegalArgumentException for a simulated device
   */
  public static List<Sparsified> apply(
      Device device, Model pruned, List<Long> batches, Options options) {
    Latency.refuseSimulated(device.info());
    TuneFile file = TuneFile.open(options.cache, device.info());
    return apply(new Tuner(new DeviceTrial(device), file, options), file, pruned, batches);
  }

  static List<Sparsified> apply(Tuner tuner, TuneFile file, Model pruned, List<Long> batches) {
    List<SparseLayer> layers = SparseLayer.find(pruned, tuner.options().minimalSparsity);
    List<Sparsified> results = new ArrayList<>();
    for (long batch : batches) {
      results.add(new Sparsify(tuner, pruned, batch).choose(layers));
      file.flush();
    }
    return results;
  }

  /**
   * The model with every layer of enough zeros run sparse, unmeasured: for checking results, and
   * for devices that cannot be timed.
   *
   * @param minimalSparsity fraction of zeros from which a layer runs sparse
   */
  public static Model everywhere(Model pruned, double minimalSparsity) {
    List<SparseLayer> layers = SparseLayer.find(pruned, minimalSparsity);
    return SparseLayer.replace(pruned, layers, layers.stream().map(SparseLayer::sparse).toList());
  }

  private final Tuner tuner;
  private final Model pruned;
  private final long batch;

  private Sparsify(Tuner tuner, Model pruned, long batch) {
    this.tuner = tuner;
    this.pruned = pruned;
    this.batch = batch;
  }

  private Sparsified choose(List<SparseLayer> layers) {
    Tuning before = tuner.tuning();
    List<SparseChoice> choices = new ArrayList<>();
    List<SparseLayer> chosen = new ArrayList<>();
    List<Node> nodes = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    ShapeInference types =
        layers.isEmpty() ? null : ShapeInference.of(pruned, Bound.inputShapes(pruned, batch));
    for (SparseLayer layer : layers) {
      Tuner.Timed timed = tuner.layer(pruned, layer, types).orElse(null);
      if (timed == null) {
        continue; // the device has no sparse product of it
      }
      SparseChoice choice = choice(layer, timed, types);
      choices.add(choice);
      keys.add(timed.key() + (choice.chosen() ? " runs " + choice.layout() : " runs dense"));
      if (choice.chosen()) {
        chosen.add(layer);
        nodes.add(layer.sparse(SparseFormat.parse(choice.layout())));
      }
    }
    Model sparse = chosen.isEmpty() ? pruned : SparseLayer.replace(pruned, chosen, nodes);
    Tuner.TimedWhole whole = tuner.whole(pruned, sparse, batch, keys);
    return verdict(sparse, choices, whole, tuner.tuning().since(before));
  }

  private SparseChoice choice(SparseLayer layer, Tuner.Timed timed, ShapeInference types) {
    Times.Layer times = timed.times();
    Candidate best = times.sparse().getFirst();
    BreakEven breakEven = null;
    if (tuner.options().breakEven && !layer.isConvolution()) {
      SparseFormat kind = LayerShape.kind(layer.pattern());
      breakEven = tuner.breakEven(LayerShape.of(layer), layer.rows(types), kind);
    }
    return new SparseChoice(
        layer.name(),
        batch,
        layer.pattern().sparsity(),
        times.dense().median(),
        best.time().median(),
        tuner.pays(times),
        best.format(),
        best.bytes(),
        times.sparse(),
        breakEven,
        timed.cached());
  }

  private Sparsified verdict(
      Model sparse, List<SparseChoice> choices, Tuner.TimedWhole timed, Tuning tuning) {
    Spread dense = timed.times().dense();
    Spread fast = timed.times().sparse();
    if (sparse == pruned) {
      String why =
          choices.isEmpty()
              ? "no layer has zeros enough to be worth a sparse product"
              : "no layer was measured faster sparse than dense";
      return new Sparsified(
          batch, pruned, choices, dense, dense, why + "; all run dense", timed.cached(), tuning);
    }
    if (Tuner.isSlower(fast, dense)) {
      String slower =
          String.format(
              Locale.ROOT,
              "with sparse layers a run took %.1f µs against %.1f µs dense; all run dense",
              fast.median(),
              dense.median());
      List<SparseChoice> none = choices.stream().map(SparseChoice::dense).toList();
      return new Sparsified(batch, pruned, none, dense, dense, slower, timed.cached(), tuning);
    }
    String faster =
        String.format(
            Locale.ROOT,
            "%d of %d layers run sparse: %.1f µs against %.1f µs dense",
            choices.stream().filter(SparseChoice::chosen).count(),
            choices.size(),
            fast.median(),
            dense.median());
    return new Sparsified(batch, sparse, choices, dense, fast, faster, timed.cached(), tuning);
  }
}
