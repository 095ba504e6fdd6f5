package io.github.secateur.nn;

import java.util.List;
import java.util.Objects;

/**
 * A multilayer perceptron.
 *
 * @param sizes features of the input, units of each layer; the last are the classes
 * @param activation between layers
 * @param initialization of the weights
 * @param dropout ratio of units dropped after each activation in training, 0 for none
 * @param seed of the initial weights
 */
public record MlpOptions(
    List<Integer> sizes,
    Activation activation,
    Initialization initialization,
    double dropout,
    long seed) {
  /** Checks the ranges. */
  public MlpOptions {
    sizes = List.copyOf(sizes);
    Objects.requireNonNull(activation);
    Objects.requireNonNull(initialization);
    if (sizes.size() < 2) {
      throw new IllegalArgumentException(
          "a network needs at least two sizes (features and classes), got " + sizes);
    }
    if (sizes.stream().anyMatch(s -> s < 1)) {
      throw new IllegalArgumentException("layer sizes must be 1 or more, got " + sizes);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException(
          "dropout must be at least 0 and less than 1, got " + dropout);
    }
  }

  /** ReLU, PyTorch's initial weights, no dropout. */
  public static MlpOptions of(List<Integer> sizes, long seed) {
    return new MlpOptions(sizes, Activation.RELU, Initialization.TORCH_UNIFORM, 0, seed);
  }

  /** The same with another activation. */
  public MlpOptions with(Activation other) {
    return new MlpOptions(sizes, other, initialization, dropout, seed);
  }

  /** The same with other initial weights. */
  public MlpOptions with(Initialization other) {
    return new MlpOptions(sizes, activation, other, dropout, seed);
  }

  /** The same with dropout. */
  public MlpOptions withDropout(double ratio) {
    return new MlpOptions(sizes, activation, initialization, ratio, seed);
  }
}
