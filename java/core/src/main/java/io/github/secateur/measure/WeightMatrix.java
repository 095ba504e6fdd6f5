package io.github.secateur.measure;

import io.github.secateur.tensor.Tensor;
import java.io.IOException;

/**
 * A weight matrix to be measured. Matrices of equal {@link #name} and {@link #pattern} are one
 * curve over their sparsities.
 *
 * @param name of the layer or shape, for people
 * @param pattern where its zeros are: a {@link ZeroPattern#label}, {@code pruned} for a model's
 * @param out rows of W [out, in]
 * @param in columns of W
 * @param sparsity fraction of zeros asked for, 0..1
 * @param columns columns of the activations for each sample of a batch: 1 for a layer on vectors,
 *     height · width for a convolution
 * @param weights makes the weights
 */
public record WeightMatrix(
    String name, String pattern, long out, long in, double sparsity, long columns, Source weights) {
  /** Most weights of a matrix, and most activations of a product: 2 GiB and 4 GiB of F32. */
  public static final long MAX_WEIGHTS = 1L << 29;

  private static final long MAX_ACTIVATIONS = 1L << 30;

  /** Makes the weights when they are needed, so that one matrix at a time takes memory. */
  @FunctionalInterface
  public interface Source {
    /** F32 [out, in]. */
    Tensor read() throws IOException;
  }

  /** Checks the ranges. */
  public WeightMatrix {
    if (out < 1 || in < 1 || columns < 1 || out > MAX_WEIGHTS / in) {
      throw new IllegalArgumentException(
          "%s: %d x %d weights; a matrix has 1 to %,d".formatted(name, out, in, MAX_WEIGHTS));
    }
    checkSparsity(sparsity);
  }

  /**
   * A matrix of random weights.
   *
   * @throws IllegalArgumentException when the pattern does not fit the shape
   */
  public static WeightMatrix of(Layer layer, ZeroPattern pattern, double wanted, long seed) {
    pattern.checkFits(layer.out, layer.in);
    double sparsity = pattern.sparsity(wanted);
    return new WeightMatrix(
        layer.name,
        pattern.label(),
        layer.out,
        layer.in,
        sparsity,
        layer.columns,
        () -> pattern.weights(layer.out, layer.in, sparsity, seed));
  }

  /**
   * The shape of a layer.
   *
   * @param name for people
   * @param out outputs
   * @param in inputs
   * @param columns see {@link WeightMatrix#columns}
   */
  public record Layer(String name, long out, long in, long columns) {
    /** A layer named by its shape. */
    public static Layer of(long out, long in) {
      return new Layer(out + " x " + in, out, in, 1);
    }
  }

  /**
   * Refuses what is no sparsity.
   *
   * @throws IllegalArgumentException when it is not in 0..1
   */
  public static void checkSparsity(double sparsity) {
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw new IllegalArgumentException("a sparsity is between 0 and 1, not " + sparsity);
    }
  }

  /**
   * Refuses a batch whose activations are beyond all measure.
   *
   * @throws IllegalArgumentException naming matrix and batch
   */
  public void checkBatch(long batch) {
    if (batch < 1 || batch > MAX_ACTIVATIONS / columns / Math.max(in, out)) {
      throw new IllegalArgumentException(
          "%s at batch %d: the activations would have more than %,d elements, or none"
              .formatted(name, batch, MAX_ACTIVATIONS));
    }
  }
}
