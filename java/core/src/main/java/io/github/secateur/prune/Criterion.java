package io.github.secateur.prune;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.tensor.Tensor;
import java.util.Map;

/** What makes a weight or unit important. Low scores are pruned first. */
public sealed interface Criterion {
  /**
   * |w|; for units, rows, columns and blocks the norm ‖w‖_p of their weights.
   *
   * @param order p &gt; 0, or infinity for the largest |w|
   */
  record Magnitude(double order) implements Criterion {
    /** Checks the range. */
    public Magnitude {
      if (!(order > 0)) {
        throw new IllegalArgumentException(
            "a norm's order must be above 0 (1, 2, ... or infinity), got " + order);
      }
    }

    /** L1 or L2. */
    public Magnitude(Norm norm) {
      this(norm == Norm.L1 ? 1 : 2);
    }
  }

  /**
   * A statistic of each unit's output, read after the nonlinearity that follows its layer, over
   * calibration samples of the training set (Hu et al., arXiv 1607.03250, for APoZ).
   *
   * @param statistic APoZ only where the activation has exact zeros; the signed mean only after
   *     ReLU
   * @param samples calibration samples, taken from the front of the training set
   */
  record Activation(Statistic statistic, int samples) implements Criterion {
    /** Checks the count. */
    public Activation {
      requireSamples(samples);
    }
  }

  /** Uniform random scores from a seed: the baseline every criterion must beat. */
  record Random(long seed) implements Criterion {}

  /** Scores made elsewhere, by parameter name, each of its parameter's shape. */
  record Given(Map<String, Tensor> scores) implements Criterion {}

  /**
   * |γ| of the batch normalization behind a unit (network slimming, Liu et al., arXiv 1708.06519).
   */
  record NormScale() implements Criterion {}

  /**
   * For units: the sum of the distances between a unit's incoming weights and those of all other
   * units of its layer; the most replaceable go first (FPGM, He et al., arXiv 1811.00250, eq. 6).
   */
  record GeometricMedian() implements Criterion {}

  /**
   * |w · ∂L/∂w| with the gradient of the mean loss over calibration samples, at the weights as they
   * are; meant before training (SNIP, Lee et al., arXiv 1810.02340, eq. 3 to 5; the normalisation
   * does not change the order).
   */
  record Snip(int samples) implements Criterion {
    /** Checks the count. */
    public Snip {
      requireSamples(samples);
    }
  }

  /**
   * w · (H g), signed, g the gradient and H its Hessian: weights whose removal makes the gradient
   * larger, or smaller by the least, go first (GraSP, Wang et al., arXiv 2002.07376, eq. 8, whose
   * score −w · (H g) is highest for the weights that its algorithm 1 removes).
   *
   * @param samples calibration samples
   * @param temperature divides the logits before the loss (the paper: 200)
   */
  record Grasp(int samples, double temperature) implements Criterion {
    /** Checks the ranges. */
    public Grasp {
      requireSamples(samples);
      if (!(temperature > 0)) {
        throw new IllegalArgumentException("a temperature must be above 0, got " + temperature);
      }
    }
  }

  /**
   * First-order Taylor. Weights: the mean over batches of |w · g|. Units: (Σ w · g)² over the
   * unit's weights, the mean over batches (Molchanov et al., arXiv 1906.10771, eq. 8).
   */
  record Taylor(int samples) implements Criterion {
    /** Checks the count. */
    public Taylor {
      requireSamples(samples);
    }
  }

  /**
   * ½ · w² · E[g²]: optimal brain damage (LeCun et al. 1989, eq. 5) with the diagonal of the
   * empirical Fisher matrix, the mean over batches of squared gradients, in the Hessian's place.
   * Units: the sum over their weights.
   */
  record Fisher(int samples) implements Criterion {
    /** Checks the count. */
    public Fisher {
      requireSamples(samples);
    }
  }

  /**
   * |w_ij| · ‖x_j‖₂, x_j the layer's input j over calibration samples (Wanda, Sun et al., arXiv
   * 2306.11695, eq. 1); meant with {@link Allocation.PerOutput}. A convolution's input is a place
   * of its window.
   */
  record Wanda(int samples) implements Criterion {
    /** Checks the count. */
    public Wanda {
      requireSamples(samples);
    }
  }

  /**
   * w² / Σ of the w'² of its layer from w on in ascending order (LAMP, Lee et al., arXiv
   * 2010.07611, eq. 3; of equal weights the one of lower index counts as larger): magnitude, made
   * comparable over layers; meant with {@link Allocation.Global}. Every layer keeps its largest.
   */
  record Lamp() implements Criterion {}

  /**
   * |w · ∂R/∂w|, R = the sum of the outputs for an input of ones under absolute weights: data-free,
   * meant before training, pruned in rounds of equal ratio so that no layer collapses (SynFlow,
   * Tanaka et al., arXiv 2006.05467, algorithm 1).
   *
   * @param rounds scores are taken anew this many times (the paper: 100)
   */
  record SynFlow(int rounds) implements Criterion {
    /** Checks the count. */
    public SynFlow {
      if (rounds < 1) {
        throw new IllegalArgumentException("SynFlow needs 1 or more rounds, got " + rounds);
      }
    }
  }

  private static void requireSamples(int samples) {
    if (samples < 1) {
      throw new IllegalArgumentException("calibration needs 1 or more samples, got " + samples);
    }
  }
}
