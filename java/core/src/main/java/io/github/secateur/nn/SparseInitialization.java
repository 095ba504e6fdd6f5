package io.github.secateur.nn;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.random.RandomGenerator;

/**
 * Initial values of a sparse weight: normal with deviation √(2 / in), where {@code in} is the
 * number of weights that the mask leaves the output, so that signals keep their size in a network
 * pruned before training (Evci et al. 2020, arXiv 2010.03533, section 3; He et al. 2015, eq. 10).
 * Bits follow from the seed as those of {@link Initialization}.
 */
public final class SparseInitialization {
  private SparseInitialization() {}

  /**
   * A weight, +0 where the mask prunes.
   *
   * @param outputAxis axis of the shape that runs over the output units
   */
  public static Tensor draw(Mask mask, int outputAxis, long seed) {
    Shape shape = mask.shape();
    int outputs = Math.toIntExact(shape.dim(outputAxis));
    long stride = 1; // elements from one output to the next
    for (int axis = outputAxis + 1; axis < shape.rank(); axis++) {
      stride *= shape.dim(axis);
    }
    int[] fanIn = new int[outputs];
    for (long i = 0; i < mask.size(); i++) {
      if (mask.kept(i)) {
        fanIn[(int) (i / stride % outputs)]++;
      }
    }
    RandomGenerator random = Initialization.generator(seed);
    Tensor weight = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < mask.size(); i++) {
      double value = Initialization.normal(random);
      if (mask.kept(i)) {
        int in = fanIn[(int) (i / stride % outputs)];
        weight.setFloat(i, (float) (Math.sqrt(2.0 / in) * value));
      }
    }
    return weight;
  }
}
