package io.github.secateur.solver;

/**
 * A layer to prune. Arrays are not written.
 *
 * @param outputs rows of W
 * @param weights W [outputs, inputs]
 * @param kept which weights live; the others are 0 and stay so
 * @param hessian of its inputs
 * @param damping added to the Hessian's diagonal, as a share of its mean, above 0
 */
public record LayerProblem(
    int outputs, float[] weights, boolean[] kept, Hessian hessian, double damping) {
  /** Checks the sizes. */
  public LayerProblem {
    long size = (long) outputs * hessian.inputs();
    if (weights.length != size || kept.length != size) {
      throw new IllegalArgumentException(
          "a layer of %d outputs and %d inputs has %d weights and mask bits, got %d and %d"
              .formatted(outputs, hessian.inputs(), size, weights.length, kept.length));
    }
    if (!(damping > 0)) {
      throw new IllegalArgumentException("the damping must be above 0, got " + damping);
    }
    for (int i = 0; i < weights.length; i++) {
      if (!Float.isFinite(weights[i])) {
        throw new IllegalArgumentException(
            "the weight at output %d, input %d is %s; no weight was changed"
                .formatted(i / hessian.inputs(), i % hessian.inputs(), weights[i]));
      }
    }
  }

  /** Columns of W. */
  public int inputs() {
    return hessian.inputs();
  }

  /**
   * A pruned layer.
   *
   * @param weights Ŵ, exactly +0 where pruned
   * @param kept which weights live
   */
  public record Solution(float[] weights, boolean[] kept) {}

  /** Rounds once, and writes +0 where nothing is kept. */
  static Solution solution(double[] weights, boolean[] kept) {
    float[] rounded = new float[weights.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = kept[i] ? (float) weights[i] : 0f;
    }
    return new Solution(rounded, kept);
  }

  /** W in double, with 0 where it is pruned already. */
  double[] doubles() {
    double[] w = new double[weights.length];
    for (int i = 0; i < w.length; i++) {
      w[i] = kept[i] ? weights[i] : 0;
    }
    return w;
  }
}
