package io.github.secateur.prune;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;

/**
 * Steers the weight λ of a sparsity penalty so that the density d = 1 − sparsity meets a target d*:
 * the multiplier of the constraint log d ≤ log d*, ascended in log λ (so that λ stays positive and
 * one set of constants serves any scale), with a proportional term that damps the oscillation of
 * pure ascent (Stooke et al., arXiv 2007.03964; constrained L0: Gallego-Posada et al., arXiv
 * 2208.04425). After each measurement
 *
 * <pre>
 *   e = clamp(log(d / d*), −1, 1)     I ← clamp(I + integral · e, log 1e-6, log 1e6)
 *   λ = exp(I + proportional · e)
 * </pre>
 *
 * The logarithm makes an error at 98 % count as much as the same relative error at 50 %. Densities
 * below 1e-4 count as 1e-4.
 */
final class DualAscent {
  private static final double FLOOR = 1e-4;
  private static final double BOUND = Math.log(1e6);

  private final Gains gains;
  private double integral;
  private double lambda;

  /** How strongly λ answers to an error. */
  record Gains(double integral, double proportional) {}

  /** Starts from a weight of the penalty. */
  DualAscent(double lambda, Gains gains) {
    this.gains = gains;
    this.integral = StrictMath.log(lambda);
    this.lambda = lambda;
  }

  /** Weight of the penalty. */
  double lambda() {
    return lambda;
  }

  /** Takes a measurement, both sparsities 0..1. */
  void update(double sparsity, double target) {
    double density = Math.max(FLOOR, 1 - sparsity);
    double wanted = Math.max(FLOOR, 1 - target);
    double error = Math.clamp(StrictMath.log(density / wanted), -1, 1);
    integral = Math.clamp(integral + gains.integral * error, -BOUND, BOUND);
    lambda = StrictMath.exp(integral + gains.proportional * error);
  }

  /** Bits of the state, for checkpoints. */
  Tensor state() {
    return Tensor.ofLongs(
        Shape.of(2), Double.doubleToRawLongBits(integral), Double.doubleToRawLongBits(lambda));
  }

  /** Takes back {@link #state}. */
  void restore(Tensor state) {
    integral = Double.longBitsToDouble(state.getLong(0));
    lambda = Double.longBitsToDouble(state.getLong(1));
  }

  /**
   * The sparsity to steer for so that equal times lose equal shares of what is left: 1 − (1 −
   * target)^min(t, 1). Densities below 1e-4 count as 1e-4.
   *
   * @param t time, 1 when the target is to be reached
   */
  static double geometricRamp(double target, double t) {
    return 1 - StrictMath.pow(Math.max(FLOOR, 1 - target), Math.min(1, t));
  }

  /**
   * The sparsity to steer for at a step: rises to {@code target} over the first {@code share} of
   * the steps, as 1 − (1 − t)³, so that few weights are lost at once.
   */
  static double ramp(double target, double share, long step, long totalSteps) {
    double t = Math.min(1, (step + 1) / Math.max(1, share * totalSteps));
    double left = 1 - t;
    return target * (1 - left * left * left);
  }
}
