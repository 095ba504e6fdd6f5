package io.github.secateur.prune;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.tensor.Tensor;
import java.util.Map;

/** What makes a weight or unit important. Low scores are pruned first. */
public sealed interface Criterion {
  /** |w| or w²; for units the norm of their incoming weights. */
  record Magnitude(Norm norm) implements Criterion {}

  /**
   * A statistic of each unit's output, read after the nonlinearity that follows its layer, over
   * calibration samples of the training set.
   *
   * @param statistic APoZ only where the activation has exact zeros; the signed mean only after
   *     ReLU
   * @param samples calibration samples, taken from the front of the training set
   */
  record Activation(Statistic statistic, int samples) implements Criterion {
    /** Checks the count. */
    public Activation {
      if (samples < 1) {
        throw new IllegalArgumentException("calibration needs 1 or more samples, got " + samples);
      }
    }
  }

  /** Uniform random scores from a seed: the baseline every criterion must beat. */
  record Random(long seed) implements Criterion {}

  /** Scores made elsewhere, by parameter name, each of its parameter's shape. */
  record Given(Map<String, Tensor> scores) implements Criterion {}
}
