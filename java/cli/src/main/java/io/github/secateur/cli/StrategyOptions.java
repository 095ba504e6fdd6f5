package io.github.secateur.cli;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.io.SafetensorsReader;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.Schedule;
import io.github.secateur.prune.Strategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** What to prune, and how. */
final class StrategyOptions {
  /** Names of the criteria and of the methods that learn what to remove. */
  enum CriterionName {
    magnitude,
    activation,
    random,
    l1,
    gates
  }

  /** Names of the patterns. */
  enum PatternName {
    unstructured,
    neuron
  }

  /** Names of the activation statistics. */
  enum StatisticName {
    mean,
    mean_abs,
    rms,
    apoz
  }

  @Option(
      names = "--criterion",
      paramLabel = "NAME",
      defaultValue = "magnitude",
      description =
          "What is removed first: the smallest weights (magnitude), the neurons that are least"
              + " active on training data (activation), chance (random), or what training learns to"
              + " do without: under an L1 penalty (l1) or hard-concrete gates (gates). Default:"
              + " ${DEFAULT-VALUE}.")
  CriterionName criterion;

  @Option(
      names = "--norm",
      paramLabel = "L1|L2",
      defaultValue = "L1",
      description = "Norm of the magnitude criterion (default: ${DEFAULT-VALUE}).")
  Norm norm;

  @Option(
      names = "--statistic",
      paramLabel = "NAME",
      defaultValue = "rms",
      description =
          "Statistic of the activation criterion: mean, mean_abs, rms or apoz (the share of"
              + " non-zero outputs). Default: ${DEFAULT-VALUE}.")
  StatisticName statistic;

  @Option(
      names = "--calibration",
      paramLabel = "N",
      defaultValue = "5000",
      description = "Training samples for activation statistics (default: ${DEFAULT-VALUE}).")
  int calibration;

  @Option(
      names = "--pattern",
      paramLabel = "NAME",
      description =
          "What is removed together: single weights (unstructured) or whole neurons (neuron)."
              + " Default: unstructured; neuron for the activation criterion.")
  PatternName pattern;

  @Option(
      names = "--allocation",
      paramLabel = "HOW",
      description =
          "How the sparsity is spread: global (one threshold over all layers), per-layer (the same"
              + " in each), or ratios such as fc1=0.92,fc2=0.91,fc3=0.74. Default: global;"
              + " per-layer for neurons.")
  String allocation;

  @Option(
      names = "--scores",
      paramLabel = "FILE.safetensors",
      description =
          "Importance scores made elsewhere instead of a criterion: a tensor by the name and shape"
              + " of each weight; the lowest are removed first.")
  Path scores;

  @Option(
      names = "--masks",
      paramLabel = "FILE.safetensors",
      description =
          "Masks made elsewhere instead of criterion and sparsity: a BOOL or U8 tensor by the name"
              + " and shape of each weight, 0 where it is removed. Needs --data.")
  Path masks;

  @Option(
      names = "--schedule",
      paramLabel = "WHEN",
      description =
          "one-shot (the default for given masks), polynomial (gradual, Zhu & Gupta; default), or"
              + " iterative:ROUNDS of prune and fine-tune. Without --data always one-shot.")
  String schedule;

  /** The strategy as the engine takes it. */
  Strategy toStrategy(long seed) throws IOException {
    if (scores != null) {
      return scored(new Criterion.Given(SafetensorsReader.read(scores).tensors()));
    }
    return switch (criterion) {
      case magnitude -> scored(new Criterion.Magnitude(norm));
      case activation -> scored(new Criterion.Activation(toStatistic(), calibration));
      case random -> scored(new Criterion.Random(seed));
      case l1 -> new Strategy.L1(toAllocation(), 0.5);
      case gates -> new Strategy.Gates(toPattern(), toAllocation(), 0.5);
    };
  }

  private Strategy scored(Criterion by) throws IOException {
    return new Strategy.Scored(by, toPattern(), toAllocation(), toSchedule());
  }

  private Statistic toStatistic() {
    return switch (statistic) {
      case mean -> Statistic.MEAN;
      case mean_abs -> Statistic.MEAN_ABS;
      case rms -> Statistic.RMS;
      case apoz -> Statistic.ONE_MINUS_APOZ;
    };
  }

  /** The pattern, given or by default. */
  Pattern toPattern() throws IOException {
    if (masks != null) {
      return new Pattern.Given(MaskFiles.read(masks));
    }
    boolean neuron =
        pattern == null ? criterion == CriterionName.activation : pattern == PatternName.neuron;
    return neuron ? new Pattern.Neuron() : new Pattern.Unstructured();
  }

  /** The allocation, given or by default. */
  Allocation toAllocation() throws IOException {
    if (allocation == null) {
      return toPattern() instanceof Pattern.Neuron
          ? new Allocation.PerLayer()
          : new Allocation.Global();
    }
    return switch (allocation) {
      case "global" -> new Allocation.Global();
      case "per-layer" -> new Allocation.PerLayer();
      default -> new Allocation.Ratios(ratios(allocation));
    };
  }

  private static Map<String, Double> ratios(String text) {
    Map<String, Double> byLayer = new LinkedHashMap<>();
    for (String part : text.split(",", -1)) {
      int equals = part.lastIndexOf('=');
      try {
        if (equals <= 0) {
          throw new NumberFormatException();
        }
        byLayer.put(
            part.substring(0, equals).trim(),
            Double.parseDouble(part.substring(equals + 1).trim()));
      } catch (NumberFormatException e) {
        throw new UserException(
            "--allocation takes global, per-layer or LAYER=SPARSITY,... such as"
                + " fc1=0.92,fc2=0.91,fc3=0.74, got '"
                + text
                + "'.");
      }
    }
    return byLayer;
  }

  private Schedule toSchedule() {
    if (schedule == null) {
      return masks != null ? new Schedule.OneShot() : Schedule.Polynomial.defaults();
    }
    if (schedule.equals("one-shot")) {
      return new Schedule.OneShot();
    }
    if (schedule.equals("polynomial")) {
      return Schedule.Polynomial.defaults();
    }
    if (schedule.startsWith("iterative")) {
      String rounds = schedule.equals("iterative") ? "5" : schedule.replaceFirst("iterative:", "");
      try {
        return new Schedule.Iterative(Integer.parseInt(rounds));
      } catch (NumberFormatException e) {
        throw badSchedule();
      }
    }
    throw badSchedule();
  }

  private UserException badSchedule() {
    return new UserException(
        "--schedule takes one-shot, polynomial or iterative:ROUNDS such as iterative:5, got '"
            + schedule
            + "'.");
  }
}
