package io.github.secateur.solver;

import io.github.secateur.device.Cholesky;

/**
 * H = X Xᵀ of a layer's inputs X [inputs, samples]: half the second derivative of ‖W X − Ŵ X‖² in
 * any row of Ŵ.
 *
 * <p>An input that was 0 in every sample is dead: its row and column of H are 0. It counts as
 * diagonal 1, so that H can be inverted; nothing else depends on it, and its weights cost nothing
 * to remove.
 */
public final class Hessian {
  /** How often the damping is raised tenfold before giving up. */
  private static final int RAISES = 3;

  private final int inputs;
  private final double[] h;

  /**
   * H with a damped diagonal, and its inverse, both [inputs, inputs].
   *
   * @param damping the share of the mean diagonal that was enough
   */
  record Damped(double[] h, double[] inverse, double damping) {}

  /**
   * Takes sums over all samples.
   *
   * @param sums X Xᵀ [inputs, inputs]; made symmetric here
   * @throws IllegalArgumentException when one is not finite
   */
  public Hessian(float[] sums, int inputs) {
    if (sums.length != inputs * inputs) {
      throw new IllegalArgumentException(
          "the Hessian of %d inputs has %d numbers, got %d"
              .formatted(inputs, (long) inputs * inputs, sums.length));
    }
    this.inputs = inputs;
    this.h = new double[sums.length];
    for (int i = 0; i < inputs; i++) {
      for (int j = 0; j < inputs; j++) {
        double sum = ((double) sums[i * inputs + j] + sums[j * inputs + i]) / 2;
        if (!Double.isFinite(sum)) {
          throw new IllegalArgumentException(
              "the inputs %d and %d of the calibration samples are not finite, or too large to"
                      .formatted(i, j)
                  + " multiply; check samples and weights for NaN");
        }
        h[i * inputs + j] = sum;
      }
    }
  }

  private Hessian(int inputs, double[] h) {
    this.inputs = inputs;
    this.h = h;
  }

  /** Number of inputs. */
  public int inputs() {
    return inputs;
  }

  /**
   * The same of inputs in another order.
   *
   * @param order the input that each place takes
   */
  public Hessian inOrder(int[] order) {
    double[] moved = new double[h.length];
    for (int i = 0; i < inputs; i++) {
      for (int j = 0; j < inputs; j++) {
        moved[i * inputs + j] = h[order[i] * inputs + order[j]];
      }
    }
    return new Hessian(inputs, moved);
  }

  /** Whether an input was 0 in every sample. */
  public boolean dead(int input) {
    return h[input * inputs + input] == 0;
  }

  /**
   * H + damping · (mean diagonal of live inputs) · I and its inverse. Where that cannot be
   * factored, the damping is raised tenfold, up to three times.
   *
   * @throws IllegalArgumentException when even that was not enough
   */
  Damped damped(double damping) {
    double mean = meanDiagonal();
    double share = damping;
    for (int raise = 0; raise <= RAISES; raise++, share *= 10) {
      double[] sum = h.clone();
      for (int i = 0; i < inputs; i++) {
        sum[i * inputs + i] = (dead(i) ? 1 : sum[i * inputs + i]) + share * mean;
      }
      double[] inverse = sum.clone();
      if (Cholesky.best().factor(inverse, inputs)) {
        Cholesky.best().invert(inverse, inputs);
        return new Damped(sum, inverse, share);
      }
    }
    throw new IllegalArgumentException(
        "the Hessian of %d inputs is not positive definite even with damping %s; give more"
                .formatted(inputs, (float) (share / 10))
            + " calibration samples or a larger damping");
  }

  private double meanDiagonal() {
    double sum = 0;
    int live = 0;
    for (int i = 0; i < inputs; i++) {
      sum += h[i * inputs + i];
      live += dead(i) ? 0 : 1;
    }
    return live == 0 ? 1 : sum / live;
  }

  /**
   * ‖W X − Ŵ X‖² = Σ over rows of (w − ŵ) H (w − ŵ)ᵀ, undamped.
   *
   * @param before W [outputs, inputs]
   * @param after Ŵ
   */
  public double error(float[] before, float[] after) {
    double sum = 0;
    double[] d = new double[inputs];
    for (int from = 0; from < before.length; from += inputs) {
      for (int i = 0; i < inputs; i++) {
        d[i] = (double) after[from + i] - before[from + i];
      }
      for (int i = 0; i < inputs; i++) {
        if (d[i] != 0) {
          double product = 0;
          for (int j = 0; j < inputs; j++) {
            product += h[i * inputs + j] * d[j];
          }
          sum += d[i] * product;
        }
      }
    }
    return sum;
  }
}
