package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Trains a classifier by mean softmax cross-entropy.
 *
 * <p>Each epoch visits the training samples once, in an order that is a pure function of seed and
 * epoch; the last batch may be smaller. Random draws on the device are functions of seed and step.
 * So a run that is resumed from a checkpoint ends with the same bits as one that was never
 * interrupted, on the same device. Weight decay applies to every parameter, biases too, as in
 * PyTorch; {@link TrainOptions.Rule}s exempt some. The model given is not changed.
 */
public final class Trainer {
  private final Device device;
  private final Model model;
  private final DataSplit data;
  private final TrainOptions options;
  private final List<TrainHook> hooks;
  private Checkpointing checkpointing;
  private Progress progress = Progress.NONE;
  private Checkpoint from;

  /**
   * What a run is made of.
   *
   * @param checkpointing null for no checkpoints
   * @param from null for a run from the start
   */
  record Setup(
      Device device,
      Model model,
      DataSplit data,
      TrainOptions options,
      List<TrainHook> hooks,
      Checkpointing checkpointing,
      Progress progress,
      Checkpoint from) {}

  /**
   * Prepares a run; nothing is allocated before {@link #run}.
   *
   * @param hooks called in this order; their names must differ
   * @throws IllegalArgumentException without epochs, or when patience is asked for without
   *     validation samples
   */
  public Trainer(
      Device device, Model model, DataSplit data, TrainOptions options, List<TrainHook> hooks) {
    this.device = Objects.requireNonNull(device);
    this.model = Objects.requireNonNull(model);
    this.data = Objects.requireNonNull(data);
    this.options = Objects.requireNonNull(options);
    this.hooks = List.copyOf(hooks);
    if (options.epochs() < 1) {
      throw new IllegalArgumentException("training needs 1 or more epochs, got 0");
    }
    if (options.patience() > 0 && data.validation() == null) {
      throw new IllegalArgumentException(
          "a patience of %d epochs needs validation samples; set some aside, or use patience 0"
              .formatted(options.patience()));
    }
    Set<String> names = new HashSet<>();
    for (TrainHook hook : hooks) {
      if (!names.add(hook.name())) {
        throw new IllegalArgumentException("two hooks are named '" + hook.name() + "'");
      }
    }
  }

  /** Saves the run as it goes on. */
  public Trainer checkpoint(Checkpointing when) {
    checkpointing = when;
    return this;
  }

  /** Reports to this, and stops when it asks to. */
  public Trainer progress(Progress listener) {
    progress = Objects.requireNonNull(listener);
    return this;
  }

  /**
   * Goes on from a checkpoint of the same run.
   *
   * @throws IllegalArgumentException naming the first difference in model, data, options or hooks
   *     when it is of another run
   */
  public Trainer resume(Checkpoint checkpoint) {
    checkpoint.requireSame(model, data, options, hooks);
    from = checkpoint;
    return this;
  }

  /**
   * Trains to the end. Of a checkpoint that is finished already, the result is made again.
   *
   * @throws DivergedException when the loss is not finite
   * @throws StoppedException when the listener asked to stop
   * @throws java.io.UncheckedIOException when a checkpoint cannot be written; the last one is whole
   */
  public TrainResult run() {
    Setup setup = new Setup(device, model, data, options, hooks, checkpointing, progress, from);
    try (TrainingRun run = new TrainingRun(setup)) {
      return run.run();
    }
  }
}
