package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Model;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A pruning run: from a trained dense network to a pruned and fine-tuned one.
 *
 * <p>A scored strategy prunes while it fine-tunes: one stage. L1 and gates have two, sparsifying
 * training and fine-tuning; between them the exact cut, which follows from the end of the first and
 * so needs no file of its own.
 */
public final class Pruning {
  private static final String SPARSIFY = "sparsify";
  private static final String FINE_TUNE = "finetune";

  /**
   * log α moves this many times as fast as the weights: it has to cross from open (2) to shut (−3)
   * in a few epochs.
   */
  private static final float GATE_RATE = 20;

  private final Device device;
  private final Model dense;
  private final DataSplit data;
  private final PruneOptions options;
  private final List<Layer> layers;
  private final List<EpochRecord> history = new ArrayList<>();
  private Checkpointing checkpointing;
  private boolean resume;
  private Progress progress = Progress.NONE;

  /** Prepares a run; nothing is allocated before {@link #run()}. */
  public Pruning(Device device, Model dense, DataSplit data, PruneOptions options) {
    this.device = device;
    this.dense = dense;
    this.data = data;
    this.options = options;
    this.layers = Layers.trainable(dense);
  }

  /** Runs without checkpoints. */
  public static PruneResult run(Device device, Model dense, DataSplit data, PruneOptions options) {
    return new Pruning(device, dense, data, options).run();
  }

  /**
   * Saves the run as it goes on. Each stage of training has a file of its own, named from this one:
   * {@code run.ckpt} gives {@code run.sparsify.ckpt} and {@code run.finetune.ckpt}.
   */
  public Pruning checkpoint(Checkpointing when) {
    this.checkpointing = when;
    return this;
  }

  /** Goes on from the stage files of the same run where there are any, bit for bit. */
  public Pruning resume() {
    this.resume = true;
    return this;
  }

  /** Reports to this. */
  public Pruning progress(Progress listener) {
    this.progress = listener;
    return this;
  }

  /** Deletes the stage files, once their result is kept elsewhere. */
  public void deleteCheckpoints() {
    for (String stage : List.of(SPARSIFY, FINE_TUNE)) {
      if (checkpointing != null) {
        delete(stageFile(checkpointing.file(), stage));
      }
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + file, e);
    }
  }

  /**
   * Prunes and fine-tunes to the end.
   *
   * @throws IllegalArgumentException when options do not fit the model
   * @throws UncheckedIOException when a checkpoint cannot be read or written
   */
  public PruneResult run() {
    history.clear();
    return switch (options.strategy()) {
      case Strategy.Scored scored -> scored(scored);
      case Strategy.L1 l1 -> l1(l1);
      case Strategy.Gates gates -> gates(gates);
    };
  }

  private PruneResult scored(Strategy.Scored how) {
    if (!(how.schedule() instanceof Schedule.OneShot) && options.fineTune().patience() > 0) {
      throw new IllegalArgumentException(
          "early stopping would end the run before its last pruning step; set patience to 0 or"
              + " prune one-shot");
    }
    Pruners pruners = new Pruners(dense, layers, how, options.sparsity());
    PruneHook hook = new PruneHook(how.schedule(), t -> pruners.of(t, data.train()));
    Model pruned = train(FINE_TUNE, dense, options.fineTune(), List.of(hook));
    return result(pruned, Double.NaN);
  }

  private PruneResult l1(Strategy.L1 how) {
    int epochs = sparsifyingEpochs(how.share());
    double target = Quotas.target(how.allocation(), layers, options.sparsity());
    // No early stopping, which would take weights from before the target was reached.
    TrainOptions penalized = options.fineTune().withEpochs(epochs).withPatience(0);
    Model sparse = train(SPARSIFY, dense, penalized, List.of(new L1Hook(layers, target)));
    double learned = Census.zeros(census(sparse));
    Model cut = cut(sparse, new Criterion.Magnitude(PruneOps.Norm.L1), how.allocation());
    return result(fineTune(cut, epochs), learned);
  }

  private PruneResult gates(Strategy.Gates how) {
    int epochs = sparsifyingEpochs(how.share());
    double target = Quotas.target(how.allocation(), layers, options.sparsity());
    Gates gates =
        switch (how.pattern()) {
          case Pattern.Unstructured() -> Gates.perWeight(layers);
          case Pattern.Neuron() -> Gates.perUnit(dense, layers, UnitGroups.of(dense));
          case Pattern.Given _ ->
              throw new IllegalArgumentException(
                  "gates learn their masks; use the unstructured or the neuron pattern");
        };
    TrainOptions slow = atConstantRate(epochs);
    List<TrainOptions.Rule> rules = new ArrayList<>();
    rules.add(new TrainOptions.Rule(Gates.SUFFIX, GATE_RATE, false));
    rules.addAll(slow.rules());
    Model trained =
        train(
            SPARSIFY,
            gates.insert(dense),
            slow.withRules(rules),
            List.of(new GateHook(gates, target)));
    double learned = gates.shut(device, trained);
    Model folded = gates.fold(device, trained, dense);
    Criterion byLogAlpha = new Criterion.Given(gates.logAlphas(trained));
    Strategy.Scored exact =
        new Strategy.Scored(byLogAlpha, how.pattern(), how.allocation(), new Schedule.OneShot());
    return result(fineTune(cut(folded, exact), epochs), learned);
  }

  private int sparsifyingEpochs(double share) {
    int epochs = options.fineTune().epochs();
    if (epochs < 2) {
      throw new IllegalArgumentException(
          "sparsifying and fine-tuning need 2 epochs or more together, got " + epochs);
    }
    return Math.clamp(Math.round(share * epochs), 1, epochs - 1);
  }

  /**
   * The first learning rate throughout, since a rate that decays to 0 takes the penalty's hold on
   * the gates with it; no early stopping, which would take weights from before the target was
   * reached.
   */
  private TrainOptions atConstantRate(int epochs) {
    TrainOptions o = options.fineTune();
    LearningRate constant = new LearningRate.Constant(o.learningRate().at(0, 1));
    return o.withEpochs(epochs).withLearningRate(constant).withPatience(0);
  }

  private Model fineTune(Model cut, int epochsGone) {
    TrainOptions o = options.fineTune();
    return train(FINE_TUNE, cut, o.withEpochs(o.epochs() - epochsGone), List.of());
  }

  private Model cut(Model model, Criterion criterion, Allocation allocation) {
    return cut(
        model,
        new Strategy.Scored(
            criterion, new Pattern.Unstructured(), allocation, new Schedule.OneShot()));
  }

  private Model cut(Model model, Strategy.Scored how) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    model
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              if (tensor.dtype().isFloating()) {
                weights.put(name, tensor);
              }
            });
    try (HeldSite site = new HeldSite(device, weights, model.masks())) {
      new Pruners(model, layers, how, options.sparsity()).of(site, null).step(0, 1);
      Model cut = model.copy();
      cut.graph().initializers().putAll(site.weightsToHost());
      cut.masks().putAll(site.masksToHost());
      return cut;
    }
  }

  private Model train(String stage, Model start, TrainOptions trainOptions, List<TrainHook> hooks) {
    String shown = stage.equals(SPARSIFY) ? "sparsifying" : "fine-tuning";
    Trainer trainer =
        new Trainer(device, start, data, trainOptions, hooks).progress(progress.named(s -> shown));
    if (checkpointing != null) {
      Checkpointing when = stageOf(checkpointing, stage);
      trainer.checkpoint(when);
      if (resume && Files.exists(when.file())) {
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

  private List<LayerSparsity> census(Model model) {
    return Census.of(layers, model.graph().initializers(), model.masks());
  }

  private PruneResult result(Model pruned, double learned) {
    List<LayerSparsity> counts = census(pruned);
    double reached = Census.sparsity(counts);
    return new PruneResult(pruned, requested(reached), reached, learned, counts, history);
  }

  /** Explicit ratios and masks are what was asked for; whatever they come to was requested. */
  private double requested(double reached) {
    return switch (options.strategy()) {
      case Strategy.Scored(_, Pattern.Given _, _, _) -> reached;
      case Strategy.Scored(_, _, Allocation.Ratios _, _) -> reached;
      case Strategy.L1(Allocation.Ratios _, _) -> reached;
      case Strategy.Gates(_, Allocation.Ratios _, _) -> reached;
      default -> options.sparsity();
    };
  }
}
