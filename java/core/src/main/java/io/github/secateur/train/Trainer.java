package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import java.util.List;

/** Trains a classifier. */
public final class Trainer {
  /** Prepares a run; nothing is allocated before {@link #run}. */
  public Trainer(
      Device device, Model model, DataSplit data, TrainOptions options, List<TrainHook> hooks) {}

  /** Saves the run as it goes on. */
  public Trainer checkpoint(Checkpointing when) {
    return this;
  }

  /** Reports to this. */
  public Trainer progress(Progress listener) {
    return this;
  }

  /**
   * Goes on from a checkpoint of the same run.
   *
   * @throws IllegalArgumentException naming the first difference when it is of another one
   */
  public Trainer resume(Checkpoint from) {
    return this;
  }

  /** Trains to the end. */
  public TrainResult run() {
    throw new IllegalStateException("being written");
  }
}
