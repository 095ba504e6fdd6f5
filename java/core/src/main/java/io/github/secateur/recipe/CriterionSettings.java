package io.github.secateur.recipe;

import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.io.SafetensorsReader;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.Pattern;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** The criterion that settings name, with its own settings. */
final class CriterionSettings {
  /** Words of {@code criterion}. */
  static final List<String> NAMES =
      List.of(
          "magnitude",
          "activation",
          "random",
          "norm-scale",
          "geometric-median",
          "snip",
          "grasp",
          "synflow",
          "taylor",
          "fisher",
          "wanda",
          "lamp");

  private final Settings s;
  private final long seed;
  private final String name;

  CriterionSettings(Settings settings, long seed) {
    this.s = settings;
    this.seed = seed;
    this.name =
        settings.has("scores") ? "given scores" : settings.word("criterion", "magnitude", NAMES);
  }

  /** Whether it scores whole units only. */
  boolean scoresUnits() {
    return List.of("activation", "norm-scale", "geometric-median").contains(name);
  }

  /** Whether it is meant for a network before training. */
  boolean beforeTraining() {
    return List.of("snip", "grasp", "synflow").contains(name);
  }

  /** The allocation that belongs to it. */
  String allocation() {
    return name.equals("wanda") ? "per-output" : "global";
  }

  Criterion read() {
    return switch (name) {
      case "given scores" -> given();
      case "magnitude" -> new Criterion.Magnitude(norm());
      case "activation" -> new Criterion.Activation(statistic(), samples(5000));
      case "random" -> new Criterion.Random(seed);
      case "norm-scale" -> new Criterion.NormScale();
      case "geometric-median" -> new Criterion.GeometricMedian();
      case "snip" -> new Criterion.Snip(samples(1000));
      case "grasp" ->
          new Criterion.Grasp(samples(1000), s.number("temperature", 200, Double.MIN_VALUE, 1e9));
      case "synflow" -> new Criterion.SynFlow(s.count("rounds", 100, 1));
      case "taylor" -> new Criterion.Taylor(samples(5000));
      case "fisher" -> new Criterion.Fisher(samples(5000));
      case "wanda" -> new Criterion.Wanda(samples(5000));
      case "lamp" -> new Criterion.Lamp();
      default -> throw new IllegalStateException(name);
    };
  }

  private int samples(int byDefault) {
    return s.count("calibration", byDefault, 1);
  }

  private double norm() {
    String order = s.text("norm", "1").replaceFirst("^[lL]", "");
    if (order.equals("inf")) {
      return Double.POSITIVE_INFINITY;
    }
    try {
      double p = Double.parseDouble(order);
      if (p > 0) {
        return p;
      }
    } catch (NumberFormatException e) {
      throw s.wrong("norm", NORMS);
    }
    throw s.wrong("norm", NORMS);
  }

  private static final String NORMS = "takes an order above 0: L1, L2, another number, or inf";

  private Statistic statistic() {
    return switch (s.word("statistic", "rms", List.of("mean", "mean-abs", "rms", "apoz"))) {
      case "mean" -> Statistic.MEAN;
      case "mean-abs" -> Statistic.MEAN_ABS;
      case "rms" -> Statistic.RMS;
      default -> Statistic.ONE_MINUS_APOZ;
    };
  }

  private Criterion given() {
    try {
      return new Criterion.Given(SafetensorsReader.read(Path.of(s.text("scores", ""))).tensors());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Masks made elsewhere. */
  Pattern masks() {
    try {
      return new Pattern.Given(MaskFiles.read(Path.of(s.text("masks", ""))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
