package io.github.secateur.exec;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Map;

/**
 * A graph bound to a device, to concrete input shapes and to parameters: its kernels in order, its
 * memory planned. Compiled once, run many times; a run allocates nothing.
 */
public final class Executable implements AutoCloseable {
  private Executable() {}

  /** How a graph is run. */
  public enum Mode {
    INFERENCE,
    TRAINING
  }

  /**
   * Compiles a model's graph.
   *
   * @param inputs shape of every required input
   * @param parameters holds the floating-point initializers; not owned
   */
  public static Executable compile(
      Model model, Map<String, Shape> inputs, Parameters parameters, Mode mode) {
    throw new IllegalStateException("being written");
  }

  /** Device tensor of an input, to be filled before a run. */
  public DeviceTensor input(String name) {
    throw new IllegalStateException(name);
  }

  /** Device tensor of a graph output, valid after a run and until the next. */
  public DeviceTensor output(String name) {
    throw new IllegalStateException(name);
  }

  /** I64 [2] {seed, counter}: set before the first step, counter advanced by whoever trains. */
  public DeviceTensor randomState() {
    throw new IllegalStateException();
  }

  /** Enqueues all kernels. */
  public void run() {}

  /** Uploads the inputs, runs, downloads the outputs. */
  public Map<String, Tensor> run(Map<String, Tensor> inputs) {
    return Map.of();
  }

  @Override
  public void close() {}
}
