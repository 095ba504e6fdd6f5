package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Times layers alone, dense against every sparse format that is a candidate, and whole models; each
 * once, in this run or an earlier one.
 */
final class Tuner {
  private final Trial trial;
  private final TuneFile file;
  private final Sparsify.Options options;
  private int measured;
  private int cached;
  private long nanos;

  Tuner(Trial trial, TuneFile file, Sparsify.Options options) {
    this.trial = trial;
    this.file = file;
    this.options = options;
  }

  /** How to choose. */
  Sparsify.Options options() {
    return options;
  }

  /** The times of one layer, where they come from, and what they are kept by. */
  record Timed(Times.Layer times, boolean cached, String key) {}

  /**
   * Times of a layer, or empty when the device has no sparse format for it.
   *
   * @param types of the model's values at some batch size
   */
  Optional<Timed> layer(Model whole, SparseLayer layer, ShapeInference types) {
    long rows = layer.rows(types);
    List<SparseFormat> formats = Candidates.of(layer, trial::supports, rows);
    String key = LayerKey.of(layer, rows, formats, types);
    Times.Layer known = file.known().layers().get(key);
    if (known != null) {
      cached++;
      return Optional.of(new Timed(known, true, key));
    }
    Optional<Times.Layer> times = time(whole, layer, types, options.repeats());
    times.ifPresent(t -> file.put(key, t));
    return times.map(t -> new Timed(t, false, key));
  }

  /** Times a layer, whatever is known. */
  Optional<Times.Layer> time(Model whole, SparseLayer layer, ShapeInference types, int repeats) {
    long begin = System.nanoTime();
    long rows = layer.rows(types);
    Model dense = layer.alone(whole, types);
    Tensor weight = whole.graph().initializer(layer.weight());
    List<Model> models = new ArrayList<>(List.of(dense));
    List<String> labels = new ArrayList<>();
    List<Long> bytes = new ArrayList<>();
    for (SparseFormat format : Candidates.of(layer, trial::supports, rows)) {
      OptionalLong packed =
          layer.isConvolution()
              ? trial.packFilters(
                  layer.product(), types.type(layer.product().input(0)).shape(), weight)
              : trial.pack(weight, layer.transposed(), format);
      if (packed.isPresent()) {
        models.add(SparseLayer.replace(dense, List.of(layer), List.of(layer.sparse(format))));
        labels.add(format.label());
        bytes.add(packed.getAsLong());
      }
    }
    if (labels.isEmpty()) {
      return Optional.empty();
    }
    List<Spread> spreads = trial.race(models, rows, repeats);
    List<Candidate> sparse = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      sparse.add(new Candidate(labels.get(i), spreads.get(i + 1), bytes.get(i)));
    }
    sparse.sort(
        Comparator.comparing((Candidate c) -> left(c, spreads.getFirst()))
            .thenComparingDouble(c -> c.time().median()));
    measured++;
    nanos += System.nanoTime() - begin;
    return Optional.of(new Times.Layer(spreads.getFirst(), sparse, TuneFile.date()));
  }

  /** Whether a format was so slow that it was not timed to the end. */
  private static boolean left(Candidate candidate, Spread dense) {
    return candidate.time().repeats() < dense.repeats();
  }

  /** Whether a layer is worth running sparse. */
  boolean pays(Times.Layer times) {
    Candidate best = times.sparse().getFirst();
    return !left(best, times.dense())
        && best.time().median() <= times.dense().median() * (1 - options.minimalGain());
  }

  /** The times of two whole models, and where they come from. */
  record TimedWhole(Times.Whole times, boolean cached) {}

  /**
   * Times of a model all dense and with its chosen layers sparse; where that looks slower, they are
   * taken a second time.
   *
   * @param sparse the same model when no layer was chosen
   * @param layers of each layer that could run sparse, its key and how it runs
   */
  TimedWhole whole(Model dense, Model sparse, long batch, List<String> layers) {
    String key = ModelKey.of(dense, batch, layers);
    Times.Whole known = file.known().models().get(key);
    if (known != null) {
      cached++;
      return new TimedWhole(known, true);
    }
    long begin = System.nanoTime();
    List<Spread> spreads;
    if (sparse == dense) {
      Spread alone = trial.race(List.of(dense), batch, options.repeats()).getFirst();
      spreads = List.of(alone, alone);
    } else {
      spreads = trial.race(List.of(dense, sparse), batch, options.repeats());
      if (isSlower(spreads.get(1), spreads.get(0))) {
        spreads = trial.race(List.of(dense, sparse), batch, 2 * options.repeats() + 1);
      }
    }
    measured++;
    nanos += System.nanoTime() - begin;
    Times.Whole times = new Times.Whole(spreads.get(0), spreads.get(1), TuneFile.date());
    file.put(key, times);
    return new TimedWhole(times, false);
  }

  /** Slower beyond what the baseline's own times vary by. */
  static boolean isSlower(Spread time, Spread baseline) {
    return time.median() > baseline.median() + baseline.noise();
  }

  /** Where a layer like this breaks even; kept by shape and kind of pattern, not by density. */
  BreakEven breakEven(LayerShape shape, long rows, SparseFormat pattern) {
    String key =
        "%s @%d %s gain %s".formatted(shape.key(), rows, pattern.label(), options.minimalGain());
    BreakEven known = file.known().breakEvens().get(key);
    if (known != null) {
      cached++;
      return known;
    }
    BreakEven found =
        BreakEven.search(
            pattern, options.minimalGain(), sparsity -> point(shape, rows, pattern, sparsity));
    file.put(key, found);
    return found;
  }

  private BreakEven.Point point(
      LayerShape shape, long rows, SparseFormat pattern, double sparsity) {
    Model model = shape.model(rows, RandomWeights.of(shape.weight(), pattern, sparsity, 1));
    SparseLayer layer = SparseLayer.find(model, 0).getFirst();
    ShapeInference types = ShapeInference.of(model, Bound.inputShapes(model, rows));
    Times.Layer times =
        time(model, layer, types, Math.min(options.repeats(), 9))
            .orElseThrow(() -> new IllegalStateException("the device has no sparse product"));
    Candidate best = times.sparse().getFirst();
    return new BreakEven.Point(
        layer.pattern().sparsity(), times.dense().median(), best.time().median(), best.format());
  }

  /** What has been done so far. */
  Tuning tuning() {
    return new Tuning(measured, cached, nanos * 1e-9);
  }
}
