package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Progress;

/** A pruning run: from a trained dense network to a pruned and fine-tuned one. */
public final class Pruning {
  /** Prepares a run; nothing is allocated before {@link #run()}. */
  public Pruning(Device device, Model dense, DataSplit data, PruneOptions options) {}

  /** Runs without checkpoints. */
  public static PruneResult run(Device device, Model dense, DataSplit data, PruneOptions options) {
    return new Pruning(device, dense, data, options).run();
  }

  /**
   * Saves the run as it goes on. Each stage of training has a file of its own, named from this one:
   * {@code run.ckpt} gives {@code run.sparsify.ckpt} and {@code run.finetune.ckpt}.
   */
  public Pruning checkpoint(Checkpointing when) {
    return this;
  }

  /** Goes on from the stage files of the same run where there are any, bit for bit. */
  public Pruning resume() {
    return this;
  }

  /** Reports to this. */
  public Pruning progress(Progress listener) {
    return this;
  }

  /** Prunes and fine-tunes to the end. */
  public PruneResult run() {
    throw new IllegalStateException("being written");
  }
}
