package io.github.secateur.train;

import io.github.secateur.tensor.Tensor;
import java.util.Map;

/**
 * Takes part in training: schedules, penalties, gates. What a hook decides must follow from the
 * training's state and its own {@link #state}, so that a resumed run repeats it bit for bit.
 */
public interface TrainHook {
  /** Unique among the hooks of a run; names its state in checkpoints. */
  String name();

  /** Before the first step, and again after a checkpoint was restored. Allocate buffers here. */
  default void start(Training training) {}

  /** Before the forward pass of a step. */
  default void beforeStep(Training training) {}

  /**
   * Whether {@link #afterGradients} and {@link #afterUpdate} do nothing but enqueue device work,
   * the same operations on the same buffers at every step: no upload, download, allocation or
   * decision. A step whose hooks all are repeatable is recorded and replayed as a whole where the
   * device can ({@link io.github.secateur.device.Device#replay}); the two methods are then called
   * only while recording. What changes from step to step is uploaded in {@link #beforeStep}.
   */
  default boolean repeatable() {
    return false;
  }

  /** After the backward pass, before the optimizer: gradients may be changed. */
  default void afterGradients(Training training) {}

  /** After the optimizer's update, still part of the step: weights may be changed. */
  default void afterUpdate(Training training) {}

  /** After the step: weights and masks may be changed, values downloaded, decisions taken. */
  default void afterStep(Training training) {}

  /** After the last step of an epoch, before validation. */
  default void afterEpoch(Training training) {}

  /** State to be saved in a checkpoint, by name. */
  default Map<String, Tensor> state() {
    return Map.of();
  }

  /** Takes back what {@link #state} gave; called before {@link #start}. */
  default void restore(Map<String, Tensor> state) {}

  /** Free buffers here; called once at the end of the run, also after an error. */
  default void finish() {}
}
