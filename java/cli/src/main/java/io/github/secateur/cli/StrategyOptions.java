package io.github.secateur.cli;

import picocli.CommandLine.Option;

/**
 * What to prune, and how: names and help; {@link io.github.secateur.recipe.PruneSettings} reads the
 * values, and a recipe file has the same names without the dashes.
 */
final class StrategyOptions {
  @Option(
      names = {"-s", "--sparsity"},
      paramLabel = "S",
      description =
          "Share of the prunable weights to remove, 0..1. Not with N:M patterns, given masks and"
              + " ratios, which decide themselves.")
  String sparsity;

  @Option(
      names = "--budget",
      paramLabel = "WHAT=LIMIT",
      description =
          "Instead of a sparsity: params=, flops=, bytes= or latency= with what may be left; up to"
              + " 1 a share of the dense network's, above 1 a number (latency: microseconds a batch"
              + " on this device).")
  String budget;

  @Option(
      names = "--budget-batch",
      paramLabel = "N",
      description = "Batch size at which a latency budget is measured (default: 64).")
  String budgetBatch;

  @Option(
      names = "--criterion",
      paramLabel = "NAME",
      description =
          "What is removed first. Weights: magnitude (default), taylor, fisher, wanda, lamp,"
              + " random; before training: snip, grasp, synflow. Neurons and channels: magnitude,"
              + " activation, norm-scale, geometric-median, taylor, fisher, snip, random.")
  String criterion;

  @Option(
      names = "--method",
      paramLabel = "NAME",
      description =
          "score (default): score by a criterion, prune by schedule, fine-tune. Learned: l1, gates,"
              + " group-lasso, str, top-kast, movement, soft-movement, admm. Layer by layer with"
              + " weight update: sparsegpt, obc. Weights come back: set, rigl, sparse-momentum,"
              + " dense-sparse-dense, ac-dc. From the start: lottery-ticket.")
  String method;

  @Option(
      names = "--norm",
      paramLabel = "P",
      description = "Order of the norm of magnitude: L1 (default), L2, another number, or inf.")
  String norm;

  @Option(
      names = "--statistic",
      paramLabel = "NAME",
      description =
          "Statistic of the activation criterion: mean, mean-abs, rms (default) or apoz (the share"
              + " of non-zero outputs).")
  String statistic;

  @Option(
      names = "--calibration",
      paramLabel = "N",
      description =
          "Training samples for activations, gradients and Hessians (default: 5000; snip and grasp"
              + " 1000).")
  String calibration;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the logits for grasp (default: 200).")
  String temperature;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Rounds of synflow (default: 100) or of a lottery ticket (default: 10).")
  String rounds;

  @Option(
      names = "--pattern",
      paramLabel = "NAME",
      description =
          "What is removed together: single weights (unstructured, default), whole neurons or"
              + " channels with all that the graph ties to them (neuron), N of every M weights"
              + " (2:4), blocks of outputs x inputs (4x1), rows or columns of each weight.")
  String pattern;

  @Option(
      names = "--round-to",
      paramLabel = "N",
      description =
          "neuron: keep a multiple of N units in each group, such as 8 or 16, which runs faster"
              + " than odd numbers (default: 1).")
  String roundTo;

  @Option(
      names = "--axis",
      paramLabel = "NAME",
      description =
          "Axis of an N:M pattern: input (default, what sparse tensor cores run) or output.")
  String axis;

  @Option(
      names = "--permute",
      description = "Search for an order of the channels in which N:M keeps more magnitude.")
  boolean permute;

  @Option(
      names = "--allocation",
      paramLabel = "HOW",
      description =
          "How the sparsity is spread: global (one threshold over all layers), per-layer (the same"
              + " in each), per-output, erk, lamp, or ratios such as fc1=0.92,fc2=0.91,fc3=0.74."
              + " Default: global; per-layer for neurons, per-output for wanda, erk for rigl and"
              + " set.")
  String allocation;

  @Option(
      names = "--max-pruned",
      paramLabel = "S",
      description =
          "Largest share that any layer may lose, or single layers, such as fc3=0.5; the others"
              + " lose the rest.")
  String maxPruned;

  @Option(
      names = "--min-kept",
      paramLabel = "N",
      description = "Weights (neurons, channels) that each layer keeps at least.")
  String minKept;

  @Option(
      names = "--exclude",
      paramLabel = "LAYER,...",
      description = "Layers that are not pruned and do not count.")
  String exclude;

  @Option(
      names = "--frozen",
      paramLabel = "LAYER,...",
      description = "Layers whose masks stay as they are; they count with those.")
  String frozen;

  @Option(
      names = "--mask-rule",
      paramLabel = "TOOL",
      description =
          "Counts and ties as another tool has them, for comparisons: torch, tfmot, jaxpruner,"
              + " wanda or sparsegpt (default: secateur, exact, of equal scores the lower index"
              + " stays).")
  String maskRule;

  @Option(
      names = "--scores",
      paramLabel = "FILE.safetensors",
      description =
          "Importance scores made elsewhere instead of a criterion: a tensor by the name and shape"
              + " of each weight; the lowest are removed first.")
  String scores;

  @Option(
      names = "--masks",
      paramLabel = "FILE.safetensors",
      description =
          "Masks made elsewhere instead of criterion and sparsity: a BOOL or U8 tensor by the name"
              + " and shape of each weight, 0 where it is removed. Needs --data.")
  String masks;

  @Option(
      names = "--schedule",
      paramLabel = "WHEN",
      description =
          "one-shot (the default for given masks and criteria from before training), cubic"
              + " (gradual, Zhu & Gupta; default), linear, polynomial with --power, exponential,"
              + " cosine, cyclic:CYCLES, or iterative:ROUNDS of prune and fine-tune. Without --data"
              + " always one-shot.")
  String schedule;

  @Option(
      names = "--begin",
      paramLabel = "T",
      description = "When a gradual schedule begins, 0..1 of the run (default: 0).")
  String begin;

  @Option(
      names = "--end",
      paramLabel = "T",
      description =
          "When a gradual schedule ends, 0..1 of the run (default: 0.6); for set and rigl when"
              + " weights stop moving (default: 0.75).")
  String end;

  @Option(
      names = "--power",
      paramLabel = "P",
      description = "Power of a polynomial schedule (default: 3).")
  String power;

  @Option(
      names = "--every",
      paramLabel = "STEPS",
      description = "Steps between two changes of the masks (default: 100).")
  String every;

  @Option(
      names = "--share",
      paramLabel = "S",
      description =
          "Share of the epochs that l1, gates, group-lasso, str, admm and dense-sparse-dense spend"
              + " before the exact cut (default: 0.5).")
  String share;

  @Option(
      names = "--backward",
      paramLabel = "S",
      description =
          "top-kast: sparsity of the set that is updated, as a share of that of the forward pass"
              + " (default: 0.5; 0: straight-through).")
  String backward;

  @Option(
      names = "--penalty",
      paramLabel = "L",
      description = "top-kast: weight of the exploration penalty (default: 1e-4).")
  String penalty;

  @Option(
      names = "--fraction",
      paramLabel = "F",
      description = "set, rigl, sparse-momentum: share of the weights that moves at first (0.3).")
  String fraction;

  @Option(
      names = "--rewind",
      paramLabel = "STEP",
      description = "lottery-ticket: step that kept weights go back to (default: 0, the start).")
  String rewind;

  @Option(
      names = "--reinitialize",
      description =
          "lottery-ticket: the control, which starts its last round from fresh weights. snip,"
              + " grasp, synflow, set, rigl, sparse-momentum: draw the kept weights anew, for the"
              + " inputs that each output keeps.")
  boolean reinitialize;

  @Option(
      names = "--warm-up",
      paramLabel = "S",
      description = "ac-dc: share of the epochs trained dense first (default: 0.1).")
  String warmUp;

  @Option(
      names = "--phase-epochs",
      paramLabel = "N",
      description = "ac-dc: epochs of a phase (default: 2).")
  String phaseEpochs;

  @Option(
      names = "--damping",
      paramLabel = "D",
      description =
          "sparsegpt, obc: added to the Hessian's diagonal as a share of its mean (default: 0.01).")
  String damping;

  @Option(names = "--rho", paramLabel = "R", description = "admm: ρ (default: 0.01).")
  String rho;

  @Option(
      names = "--update-epochs",
      paramLabel = "N",
      description = "admm: epochs between two projections (default: 1).")
  String updateEpochs;
}
