package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Progress;
import java.io.UncheckedIOException;

/**
 * A pruning run: from a network, trained or not, to a pruned and fine-tuned one. Each {@link
 * Strategy} has a class that is its run, made of {@link Stages}.
 */
public final class Pruning {
  private final Device device;
  private final Model dense;
  private final DataSplit data;
  private final PruneOptions options;
  private Checkpointing checkpointing;
  private boolean resume;
  private Progress progress = Progress.NONE;
  private Stages stages;

  /** Prepares a run; nothing is allocated before {@link #run()}. */
  public Pruning(Device device, Model dense, DataSplit data, PruneOptions options) {
    this.device = device;
    this.dense = dense;
    this.data = data;
    this.options = options;
    Layers.trainable(dense, options.limits());
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

  /** Deletes the stage files of the run, once its result is kept elsewhere. */
  public void deleteCheckpoints() {
    if (stages != null) {
      stages.deleteCheckpoints();
    }
  }

  /**
   * Prunes and fine-tunes to the end.
   *
   * @throws IllegalArgumentException when options do not fit the model
   * @throws UncheckedIOException when a checkpoint cannot be read or written
   */
  public PruneResult run() {
    stages =
        new Stages(
            device, dense, data, options, new Stages.Saving(checkpointing, resume, progress));
    return switch (options.strategy()) {
      case Strategy.Scored how -> new ScoredRun(stages, how).run();
      case Strategy.L1 how -> new L1Run(stages, how).run();
      case Strategy.Gates how -> new GatesRun(stages, how).run();
      case Strategy.GroupLasso how -> new GroupLassoRun(stages, how).run();
      case Strategy.Str how -> new StrRun(stages, how).run();
      case Strategy.TopKast how -> new TopKastRun(stages, how).run();
      case Strategy.Movement how -> new MovementRun(stages, how).run();
      case Strategy.Dynamic how -> new DynamicRun(stages, how).run();
      case Strategy.Foresight how -> new ForesightRun(stages, how).run();
      case Strategy.LotteryTicket how -> new LotteryTicketRun(stages, how).run();
      case Strategy.DenseSparseDense how -> new DenseSparseDenseRun(stages, how).run();
      case Strategy.AcDc how -> new AcDcRun(stages, how).run();
      case Strategy.LayerWise how -> new LayerWiseRun(stages, how).run();
      case Strategy.Admm how -> new AdmmRun(stages, how).run();
    };
  }
}
