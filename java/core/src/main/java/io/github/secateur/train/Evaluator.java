package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Tensor;

/**
 * Runs a classifier over samples in batches. The model has one input [batch, ...] and its first
 * output is [batch, classes]: logits, or a Softmax of them, which is then taken off.
 */
public final class Evaluator implements AutoCloseable {
  /** Samples a batch unless said. */
  public static final int BATCH = 1000;

  /** Evaluates the model's own weights; uploads and owns them. */
  public Evaluator(Device device, Model model) {
    throw new IllegalStateException("being written");
  }

  /** Evaluates weights that live on a device already, such as those of a training run. */
  public Evaluator(Model model, Parameters parameters, int batch) {
    throw new IllegalStateException("being written");
  }

  /** Metrics of a model on samples. */
  public static Metrics evaluate(Device device, Model model, Samples samples) {
    try (Evaluator evaluator = new Evaluator(device, model)) {
      return evaluator.evaluate(samples);
    }
  }

  /** Logits [n, classes] of a model for x [n, ...]. */
  public static Tensor predict(Device device, Model model, Tensor x) {
    try (Evaluator evaluator = new Evaluator(device, model)) {
      return evaluator.predict(x);
    }
  }

  /** Metrics on samples. */
  public Metrics evaluate(Samples samples) {
    throw new IllegalStateException("being written");
  }

  /** Logits [n, classes] for x [n, ...]. */
  public Tensor predict(Tensor x) {
    throw new IllegalStateException("being written");
  }

  @Override
  public void close() {}
}
