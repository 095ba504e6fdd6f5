package io.github.secateur.cli;

import picocli.CommandLine.Option;

/**
 * How to train or fine-tune: names and help; {@link io.github.secateur.recipe.FitSettings} reads
 * the values.
 */
final class FitOptions {
  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training samples (default: 20 to train, 8 to fine-tune).")
  String epochs;

  @Option(names = "--batch", paramLabel = "N", description = "Samples a step (default: 100).")
  String batch;

  @Option(
      names = "--optimizer",
      paramLabel = "NAME",
      description = "sgd, adam or adamw (default: adam).")
  String optimizer;

  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description = "Learning rate (default: 0.0012 for Adam, 0.1 for SGD).")
  String rate;

  @Option(
      names = "--lr-schedule",
      paramLabel = "NAME",
      description =
          "cosine (default), constant, or step:FACTOR:EVERY (multiplies the rate by FACTOR every"
              + " EVERY steps).")
  String schedule;

  @Option(names = "--momentum", paramLabel = "M", description = "Momentum of SGD (default: 0.9).")
  String momentum;

  @Option(names = "--nesterov", description = "Nesterov momentum for SGD.")
  boolean nesterov;

  @Option(
      names = "--weight-decay",
      paramLabel = "D",
      description = "Weight decay; decoupled for adamw (default: 0).")
  String weightDecay;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "Early stopping: end after N epochs without a lower validation loss and keep the best"
              + " epoch; 0 (default) never.")
  String patience;

  @Option(
      names = "--sparse-training",
      paramLabel = "MODE",
      description =
          "Products of pruned layers while training: off (default) dense; auto sparse from the"
              + " sparsity on at which this device was measured to be faster, which may differ from"
              + " run to run, but not between a run and its --resume; on sparse as soon as anything"
              + " is pruned.")
  String sparse;
}
