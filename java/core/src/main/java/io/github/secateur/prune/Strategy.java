package io.github.secateur.prune;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import java.util.Objects;

/** A way to get from a trained dense network to a pruned one. */
public sealed interface Strategy {
  /** Scores, thresholds, masks by schedule while fine-tuning. */
  record Scored(Criterion criterion, Pattern pattern, Allocation allocation, Schedule schedule)
      implements Strategy {
    /** Checks that nothing is missing. */
    public Scored {
      Objects.requireNonNull(criterion);
      Objects.requireNonNull(pattern);
      Objects.requireNonNull(allocation);
      Objects.requireNonNull(schedule);
    }
  }

  /**
   * L1 penalty, applied as a decoupled soft threshold in the optimizer's metric after each
   * optimizer step (ProxGen: Yun, Lozano &amp; Yang, arXiv 2003.07336); λ is steered by dual ascent
   * on the sparsity of the weights. Then exactly k weights are removed by |w| and the network is
   * fine-tuned without the penalty. Each of the two stages goes through the learning-rate schedule
   * once.
   *
   * @param allocation of the exact cut
   * @param share fraction of the epochs trained with the penalty, 0..1
   */
  record L1(Allocation allocation, double share) implements Strategy {
    /** Checks the range. */
    public L1 {
      checkShare(share);
    }
  }

  /**
   * Learned hard-concrete (L0) gates (Louizos et al., arXiv 1712.01312), one a weight or one a
   * neuron; the penalty is steered by dual ascent on the expected sparsity. Then exactly k are
   * removed by log α, the gates are folded into the weights, and the network is fine-tuned without
   * them.
   *
   * @param pattern unstructured or neuron
   * @param allocation of the exact cut
   * @param share fraction of the epochs trained with the gates, 0..1
   */
  record Gates(Pattern pattern, Allocation allocation, double share) implements Strategy {
    /** Checks the range. */
    public Gates {
      checkShare(share);
    }
  }

  /** Gradual magnitude pruning of single weights under one threshold for all layers. */
  static Strategy magnitude() {
    return new Scored(
        new Criterion.Magnitude(Norm.L1),
        new Pattern.Unstructured(),
        new Allocation.Global(),
        Schedule.Polynomial.defaults());
  }

  /** Gradual pruning of the neurons that are least active, the same share in every layer. */
  static Strategy activation() {
    return new Scored(
        new Criterion.Activation(Statistic.RMS, 5000),
        new Pattern.Neuron(),
        new Allocation.PerLayer(),
        Schedule.Polynomial.defaults());
  }

  /** L1 penalty for half of the epochs, then the cut and fine-tuning. */
  static Strategy l1() {
    return new L1(new Allocation.Global(), 0.5);
  }

  /** Hard-concrete gates, one a weight, for half of the epochs, then the cut and fine-tuning. */
  static Strategy gates() {
    return new Gates(new Pattern.Unstructured(), new Allocation.Global(), 0.5);
  }

  private static void checkShare(double share) {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException(
          "the share of epochs spent sparsifying must be between 0 and 1, got " + share);
    }
  }
}
