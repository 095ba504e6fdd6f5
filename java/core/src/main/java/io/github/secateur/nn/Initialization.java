package io.github.secateur.nn;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Initial values of a weight [out, in] of a linear layer or [out, in, ...] of a convolution, and of
 * its bias [out]. In a convolution the places of the kernel count as inputs and as outputs. A seed
 * gives the same bits everywhere: numbers come from the generator L64X128MixRandom of {@code
 * java.util.random}, logarithm and cosine from {@link StrictMath}.
 */
public enum Initialization {
  /** Weights uniform in ± √(6 / (in + out)), bias 0 (Glorot and Bengio 2010, eq. 16). */
  GLOROT_UNIFORM,
  /** Weights normal with deviation √(2 / in), bias 0 (He et al. 2015, eq. 10). */
  HE_NORMAL,
  /** Weights and bias uniform in ± 1 / √in, as PyTorch's Linear has it. */
  TORCH_UNIFORM;

  /** The generator of a seed. */
  static RandomGenerator generator(long seed) {
    return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
  }

  /** A weight [out, in, ...], drawn in row-major order. */
  Tensor weight(RandomGenerator random, Shape shape) {
    long in = shape.size() / shape.dim(0);
    long out = shape.size() / shape.dim(1);
    return switch (this) {
      case GLOROT_UNIFORM -> uniform(random, shape, Math.sqrt(6.0 / (in + out)));
      case HE_NORMAL -> normal(random, shape, Math.sqrt(2.0 / in));
      case TORCH_UNIFORM -> uniform(random, shape, 1 / Math.sqrt(in));
    };
  }

  /** The bias [out] of a weight [out, in, ...]. */
  Tensor bias(RandomGenerator random, Shape weight) {
    Shape shape = Shape.of(weight.dim(0));
    long in = weight.size() / weight.dim(0);
    return switch (this) {
      case GLOROT_UNIFORM, HE_NORMAL -> Tensor.zeros(DType.F32, shape);
      case TORCH_UNIFORM -> uniform(random, shape, 1 / Math.sqrt(in));
    };
  }

  private static Tensor uniform(RandomGenerator random, Shape shape, double bound) {
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) ((2 * random.nextDouble() - 1) * bound));
    }
    return t;
  }

  /** Box and Muller 1958, one of each pair. */
  private static Tensor normal(RandomGenerator random, Shape shape, double deviation) {
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) (deviation * normal(random)));
    }
    return t;
  }

  /** Of mean 0 and deviation 1. */
  static double normal(RandomGenerator random) {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    double angle = 2 * Math.PI * random.nextDouble();
    return radius * StrictMath.cos(angle);
  }
}
