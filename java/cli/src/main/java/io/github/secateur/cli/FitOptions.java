package io.github.secateur.cli;

import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.SparseMode;
import io.github.secateur.train.TrainOptions;
import java.util.List;
import picocli.CommandLine.Option;

/** How to train or fine-tune. */
final class FitOptions {
  /** Names of the optimizers. */
  enum OptimizerName {
    sgd,
    adam,
    adamw
  }

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training samples (default: 20 to train, 8 to fine-tune).")
  Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "100",
      description = "Samples a step (default: ${DEFAULT-VALUE}).")
  int batch;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      defaultValue = "adam",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  OptimizerName optimizer;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "Learning rate (default: 0.0012 for Adam, 0.1 for SGD).")
  Float rate;

  @Option(
      names = "--lr-schedule",
      paramLabel = "NAME",
      defaultValue = "cosine",
      description =
          "cosine (default), constant, or step:FACTOR:EVERY (multiplies the rate by FACTOR every"
              + " EVERY steps).")
  String schedule;

  @Option(
      names = "--momentum",
      paramLabel = "M",
      defaultValue = "0.9",
      description = "Momentum of SGD (default: ${DEFAULT-VALUE}).")
  float momentum;

  @Option(names = "--nesterov", description = "Nesterov momentum for SGD.")
  boolean nesterov;

  @Option(
      names = "--weight-decay",
      paramLabel = "D",
      defaultValue = "0",
      description = "Weight decay; decoupled for adamw (default: ${DEFAULT-VALUE}).")
  float weightDecay;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Early stopping: end after N epochs without a lower validation loss and keep the best"
              + " epoch; 0 (default) never.")
  int patience;

  @Option(
      names = "--sparse-training",
      paramLabel = "MODE",
      defaultValue = "off",
      description =
          "Products of pruned layers while training: off (default) dense; auto sparse from the"
              + " sparsity on at which this device was measured to be faster, which may differ from"
              + " run to run, but not between a run and its --resume; on sparse as soon as anything"
              + " is pruned.")
  SparseMode sparse;

  /** The options as the engine takes them. */
  TrainOptions toTrainOptions(int defaultEpochs, long seed) {
    return new TrainOptions(
        epochs == null ? defaultEpochs : epochs,
        batch,
        toOptimizer(),
        toSchedule(),
        seed,
        patience,
        List.of(),
        sparse);
  }

  private Optimizer toOptimizer() {
    return switch (optimizer) {
      case sgd -> new Optimizer.Sgd(momentum, weightDecay, nesterov);
      case adam -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, weightDecay, false);
      case adamw -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, weightDecay, true);
    };
  }

  private LearningRate toSchedule() {
    float base = rate != null ? rate : optimizer == OptimizerName.sgd ? 0.1f : 0.0012f;
    if (schedule.equals("cosine")) {
      return new LearningRate.Cosine(base);
    }
    if (schedule.equals("constant")) {
      return new LearningRate.Constant(base);
    }
    String[] parts = schedule.split(":", -1);
    if (parts.length == 3 && parts[0].equals("step")) {
      try {
        return new LearningRate.Step(base, Float.parseFloat(parts[1]), Long.parseLong(parts[2]));
      } catch (NumberFormatException e) {
        throw badSchedule(e);
      }
    }
    throw badSchedule(null);
  }

  private UserException badSchedule(Exception cause) {
    UserException e =
        new UserException(
            "--lr-schedule takes cosine, constant or step:FACTOR:EVERY such as step:0.1:25000, got"
                + " '"
                + schedule
                + "'.");
    e.initCause(cause);
    return e;
  }
}
