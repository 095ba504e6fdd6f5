package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.AtomicFile;
import io.github.secateur.nn.SparseInitialization;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Progress;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What the strategies are made of: stages of training, each with a checkpoint file of its own, and
 * exact cuts between them, which follow from the end of the stage before and need no file. A
 * resumed run goes through the same stages in the same order; a stage that had ended gives its
 * result at once.
 */
final class Stages {
  /** Training that makes weights small or learns gates. */
  static final String SPARSIFY = "sparsify";

  /** Training under the final masks. */
  static final String FINE_TUNE = "finetune";

  /** No training, but what a measured budget came to. */
  private static final String BUDGET = "budget";

  /** Sets weights that are drawn anew apart from those that the seed gave the dense network. */
  private static final long OTHER_SEED = 0x2545f4914f6cdd1dL;

  private final Device device;
  private final Model dense;
  private final DataSplit data;
  private final PruneOptions options;
  private final List<Layer> layers;
  private final double sparsity;
  private final List<EpochRecord> history = new ArrayList<>();
  private final Set<String> used = new LinkedHashSet<>();
  private final Saving saving;

  /**
   * Whether and how a run reports and saves itself.
   *
   * @param checkpointing null for no files
   */
  record Saving(Checkpointing checkpointing, boolean resume, Progress progress) {}

  Stages(Device device, Model dense, DataSplit data, PruneOptions options, Saving saving) {
    this.device = device;
    this.dense = dense;
    this.data = data;
    this.options = options;
    this.saving = saving;
    this.layers = Layers.trainable(dense, options.limits());
    this.sparsity = resolve();
  }

  /**
   * The budget as a sparsity. What was measured is kept in a file of the run, since a resumed run
   * has to go on with the same.
   */
  private double resolve() {
    Budgets budgets = new Budgets(device, new Budgets.Start(dense, layers), data.train(), options);
    if (!(options.budget() instanceof Budget.Measured) || saving.checkpointing() == null) {
      return budgets.sparsity();
    }
    used.add(BUDGET);
    Path file = stageFile(saving.checkpointing().file(), BUDGET);
    try {
      if (saving.resume() && Files.exists(file)) {
        return Double.parseDouble(Files.readString(file).strip());
      }
      double sparsity = budgets.sparsity();
      AtomicFile.write(file, Double.toHexString(sparsity) + "\n");
      return sparsity;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep the measured budget in " + file, e);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          file + " holds no sparsity; delete it to measure the budget again", e);
    }
  }

  Device device() {
    return device;
  }

  /** The network at the start. */
  Model dense() {
    return dense;
  }

  DataSplit data() {
    return data;
  }

  PruneOptions options() {
    return options;
  }

  /** Told how the run goes on. */
  Progress progress() {
    return saving.progress();
  }

  /** What is prunable in it. */
  List<Layer> layers() {
    return layers;
  }

  /** Asked for over all prunable weights, 0..1. */
  double sparsity() {
    return sparsity;
  }

  /**
   * Epochs of the first of two stages that share all epochs.
   *
   * @throws IllegalArgumentException when there are less than two
   */
  int sparsifyingEpochs(double share) {
    int epochs = options.fineTune().epochs();
    if (epochs < 2) {
      throw new IllegalArgumentException(
          "sparsifying and fine-tuning need 2 epochs or more together, got " + epochs);
    }
    return Math.clamp(Math.round(share * epochs), 1, epochs - 1);
  }

  /**
   * The options of the run for fewer epochs, without early stopping, which would take weights from
   * before the target was reached.
   */
  TrainOptions forEpochs(int epochs) {
    return options.fineTune().withEpochs(epochs).withPatience(0);
  }

  /** The same at the first learning rate throughout. */
  TrainOptions atConstantRate(int epochs) {
    float first = options.fineTune().learningRate().at(0, 1);
    return forEpochs(epochs).withLearningRate(new LearningRate.Constant(first));
  }

  /** Trains the epochs that are left, if any. */
  Model fineTune(Model cut, int epochsGone) {
    TrainOptions o = options.fineTune();
    if (o.epochs() == epochsGone) {
      return cut;
    }
    return train(FINE_TUNE, cut, o.withEpochs(o.epochs() - epochsGone), List.of());
  }

  /** Prunes once, exactly, outside training. */
  Model cut(Model model, Strategy.Scored how) {
    return cut(model, how, sparsity);
  }

  /**
   * The same to another sparsity, 0..1 over all prunable weights.
   *
   * @throws IllegalArgumentException when a score is NaN, or limits leave no way
   */
  Model cut(Model model, Strategy.Scored how, double sparsity) {
    return cut(model, how, sparsity, null);
  }

  /** Prunes once by scores that may need training samples. */
  Model cutOnData(Model model, Strategy.Scored how) {
    try (Parameters parameters = Parameters.upload(device, model.graph())) {
      return cut(model, how, sparsity, new Calibration(model, parameters, data.train()));
    }
  }

  private Model cut(Model model, Strategy.Scored how, double sparsity, Calibration calibration) {
    return new Pruners(model, layers, how, sparsity, options).once(device, calibration);
  }

  /** Draws the kept weights of layers that may change anew, for the inputs their masks leave. */
  void drawAnew(Model model) {
    long seed = options.fineTune().seed() ^ OTHER_SEED;
    for (Layer layer : changeable()) {
      Mask mask = model.masks().get(layer.parameter());
      if (mask != null) {
        Tensor weight = SparseInitialization.draw(mask, layer.outputAxis(), seed++);
        model.graph().initializers().put(layer.parameter(), weight);
      }
    }
  }

  /**
   * Trains a stage, or goes on with it, or takes its result where it had ended.
   *
   * @param stage unique in the run, letters and digits; names its checkpoint
   */
  Model train(String stage, Model start, TrainOptions trainOptions, List<TrainHook> hooks) {
    used.add(stage);
    String shown =
        switch (stage) {
          case SPARSIFY -> "sparsifying";
          case FINE_TUNE -> "fine-tuning";
          default -> stage;
        };
    Trainer trainer =
        new Trainer(device, start, data, trainOptions, hooks)
            .progress(saving.progress().named(s -> shown));
    if (saving.checkpointing() != null) {
      Checkpointing when = stageOf(saving.checkpointing(), stage);
      trainer.checkpoint(when);
      if (saving.resume() && Files.exists(when.file())) {
        trainer.resume(read(when.file()));
      }
    }
    TrainResult result = trainer.run();
    int before = history.size();
    result.history().forEach(record -> history.add(after(before, record)));
    return result.model();
  }

  private static EpochRecord after(int epochs, EpochRecord r) {
    return new EpochRecord(
        epochs + r.epoch(),
        r.trainLoss(),
        r.validationLoss(),
        r.validationAccuracy(),
        r.learningRate(),
        r.sparsity(),
        r.seconds());
  }

  /** Deletes the files of the stages gone through. */
  void deleteCheckpoints() {
    if (saving.checkpointing() == null) {
      return;
    }
    for (String stage : used) {
      Path file = stageFile(saving.checkpointing().file(), stage);
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete " + file, e);
      }
    }
  }

  private static Checkpointing stageOf(Checkpointing run, String stage) {
    return new Checkpointing(
        stageFile(run.file(), stage), run.everySteps(), run.everySeconds(), run.keep());
  }

  /** {@code run.ckpt} and {@code sparsify} give {@code run.sparsify.ckpt}. */
  static Path stageFile(Path base, String stage) {
    String name = base.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String staged =
        dot <= 0 ? name + "." + stage : name.substring(0, dot) + "." + stage + name.substring(dot);
    return base.resolveSibling(staged);
  }

  private static Checkpoint read(Path file) {
    try {
      return Checkpoint.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Layers that limits do not freeze: those whose masks may change. */
  List<Layer> changeable() {
    return layers.stream().filter(l -> !options.limits().frozen().contains(l.name())).toList();
  }

  /**
   * Refuses early stopping for a strategy whose masks or weights are not those of its result before
   * the run's end.
   */
  void requireNoPatience(String strategy) {
    if (options.fineTune().patience() > 0) {
      throw new IllegalArgumentException(
          "early stopping would end %s before its mask is final; set patience to 0"
              .formatted(strategy));
    }
  }

  /** The largest weights by magnitude, one by one. */
  static Strategy.Scored byMagnitude(Allocation allocation) {
    return new Strategy.Scored(
        new Criterion.Magnitude(PruneOps.Norm.L1),
        new Pattern.Unstructured(),
        allocation,
        new Schedule.OneShot());
  }

  /** Zeros and masks of a model, by layer. */
  List<LayerSparsity> census(Model model) {
    return Census.of(layers, model.graph().initializers(), model.masks());
  }

  /**
   * The result of the run.
   *
   * @param learned sparsity before the exact cut, NaN where nothing was learned
   */
  PruneResult result(Model pruned, double learned) {
    List<LayerSparsity> counts = census(pruned);
    double reached = Census.sparsity(counts);
    return new PruneResult(pruned, requested(reached), reached, learned, counts, history);
  }

  /** Explicit ratios and masks are what was asked for; whatever they come to was requested. */
  private double requested(double reached) {
    Strategy strategy = options.strategy();
    // The sparse part of dense-sparse-dense is told as what was learned.
    return strategy instanceof Strategy.DenseSparseDense || strategy.decidesHowMuch()
        ? reached
        : sparsity;
  }
}
