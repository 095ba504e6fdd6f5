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
      if (criterion instanceof Criterion.Given
          && pattern instanceof Pattern.NM nm
          && nm.permute()) {
        throw new IllegalArgumentException(
            "scores made elsewhere are for the channels in the order they have; leave the"
                + " permutation out");
      }
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

  /**
   * Group lasso: λ · Σ ‖w_g‖₂ over units, blocks or lines, applied as the proximal step that
   * shrinks a whole group at once (Yuan &amp; Lin 2006; Scardapane et al., arXiv 1607.00485), λ
   * steered by dual ascent on the share of zeros. Then the exact cut by the groups' norms, and
   * fine-tuning.
   *
   * @param pattern neuron, block or line
   * @param allocation of the exact cut
   * @param share fraction of the epochs trained with the penalty, 0..1
   */
  record GroupLasso(Pattern pattern, Allocation allocation, double share) implements Strategy {
    /** Checks the range. */
    public GroupLasso {
      Objects.requireNonNull(pattern);
      Objects.requireNonNull(allocation);
      checkShare(share);
    }
  }

  /**
   * Soft threshold reparameterization (STR, Kusupati et al., arXiv 2002.03231, eq. 4): each layer
   * multiplies by sign(w) · max(|w| − g(s), 0) with a learned threshold g(s) = sigmoid(s) of its
   * own; weight decay on s is steered to the sparsity asked for. Then the exact cut among what is
   * left, and fine-tuning.
   *
   * @param share fraction of the epochs spent learning, 0..1
   */
  record Str(double share) implements Strategy {
    /** Checks the range. */
    public Str {
      checkShare(share);
    }
  }

  /**
   * Straight-through masks in the manner of Top-KAST (Jayakumar et al., arXiv 2106.03517): the
   * forward pass uses the largest share of the weights, the backward pass updates a larger one;
   * weights outside the forward set keep their values and can come back. The forward set of the
   * last step is the mask. The exploration penalty is λ‖w‖₂² on the forward set and λ/density on
   * the rest of the backward set (their eq. 3).
   *
   * @param allocation of the forward set
   * @param backward sparsity of the backward set as a share of the forward one, 0 (dense backward:
   *     straight-through) .. 1 (fixed)
   * @param every steps between two selections
   * @param penalty λ, 0 or more
   */
  record TopKast(Allocation allocation, double backward, int every, double penalty)
      implements Strategy {
    /** Checks the ranges. */
    public TopKast {
      Objects.requireNonNull(allocation);
      if (!(backward >= 0 && backward <= 1) || every < 1 || !(penalty >= 0)) {
        throw new IllegalArgumentException(
            "Top-KAST needs a backward share 0..1, a period of 1 or more and a penalty of 0 or"
                + " more, got %s, %d and %s".formatted(backward, every, penalty));
      }
    }
  }

  /**
   * Movement pruning (Sanh et al., arXiv 2005.07683): scores S accumulate −lr · w · ∂L/∂(w ⊙ M), by
   * straight-through gradients also where weights are pruned, and weights may come back. Hard: the
   * scheduled share with the lowest scores goes. Soft: what lies below a threshold τ goes, under a
   * penalty λ · mean sigmoid(S) steered to the sparsity asked for. The run ends with the exact cut.
   *
   * @param soft whether the threshold, not the share, is given
   * @param allocation of the hard form and of the exact cut
   * @param schedule gradual
   */
  record Movement(boolean soft, Allocation allocation, Schedule schedule) implements Strategy {
    /** Checks that nothing is missing. */
    public Movement {
      Objects.requireNonNull(allocation);
      Objects.requireNonNull(schedule);
    }
  }

  /** How dynamic sparse training lets weights grow. */
  enum Growth {
    /** At random: SET (Mocanu et al., arXiv 1707.04780). */
    RANDOM,
    /** Where the dense gradient is largest: RigL (Evci et al., arXiv 1911.11134). */
    GRADIENT,
    /**
     * Where the momentum is largest, and most in the layers whose living weights have the largest
     * on average, unless explicit ratios say what each layer keeps (sparse momentum, Dettmers &amp;
     * Zettlemoyer, arXiv 1907.04840).
     */
    MOMENTUM
  }

  /**
   * Dynamic sparse training: from a network without training, at the final sparsity from the first
   * step; every so many steps the smallest weights of each layer go and as many others come in at
   * 0, there or (by momentum) anywhere, with fresh optimizer state. The share that moves falls as a
   * half cosine from {@code fraction} to 0 at {@code end} (RigL, eq. 1).
   *
   * @param growth where new weights grow
   * @param allocation of the sparsity: ERK, per layer or ratios
   * @param fraction of a layer's living weights that moves at first, 0..1
   * @param every steps between two moves
   * @param end fraction of the steps after which nothing moves, 0..1
   * @param reinitialize whether the weights are drawn anew for as many inputs as the first masks
   *     leave each output ({@link io.github.secateur.nn.SparseInitialization})
   */
  record Dynamic(
      Growth growth,
      Allocation allocation,
      double fraction,
      int every,
      double end,
      boolean reinitialize)
      implements Strategy {
    /** Checks the ranges. */
    public Dynamic {
      Objects.requireNonNull(growth);
      Objects.requireNonNull(allocation);
      if (!(fraction > 0 && fraction <= 1) || every < 1 || !(end > 0 && end <= 1)) {
        throw new IllegalArgumentException(
            "dynamic sparse training needs a fraction and an end in (0, 1] and a period of 1 or"
                + " more, got %s, %s and %d".formatted(fraction, end, every));
      }
    }

    /** RigL as published: ERK, 30 % every 100 steps, until three quarters of the run. */
    public static Dynamic rigl() {
      return new Dynamic(Growth.GRADIENT, new Allocation.Erk(), 0.3, 100, 0.75, false);
    }

    /** SET under the same plan. */
    public static Dynamic set() {
      return new Dynamic(Growth.RANDOM, new Allocation.Erk(), 0.3, 100, 0.75, false);
    }
  }

  /**
   * Pruning before training: one cut by scores of the untrained network, then the kept weights are
   * drawn anew, for as many inputs as the mask leaves each output ({@link
   * io.github.secateur.nn.SparseInitialization}), and trained. SNIP's authors draw them anew too,
   * for the dense network's inputs.
   *
   * @param criterion of single weights, such as {@link Criterion.Snip}
   * @param pattern what goes together; not whole units, whose networks are drawn best by name
   * @param allocation how the sparsity is spread
   */
  record Foresight(Criterion criterion, Pattern pattern, Allocation allocation)
      implements Strategy {
    /** Checks that it goes together. */
    public Foresight {
      Objects.requireNonNull(criterion);
      Objects.requireNonNull(allocation);
      if (pattern instanceof Pattern.Neuron) {
        throw new IllegalArgumentException(
            "weights are drawn anew where single weights are pruned, not whole neurons; leave"
                + " reinitialize out");
      }
      if (pattern instanceof Pattern.NM nm && nm.permute()) {
        throw new IllegalArgumentException(
            "weights that are drawn anew have no best order of channels; leave permute or"
                + " reinitialize out");
      }
    }

    /** The cut before training. */
    Scored cut() {
      return new Scored(criterion, pattern, allocation, new Schedule.OneShot());
    }
  }

  /**
   * Lottery ticket (Frankle &amp; Carbin, arXiv 1803.03635; rewinding to a later step: arXiv
   * 1903.01611): rounds of training from the first weights and pruning by final magnitude; after
   * each round the kept weights go back to where they were at step {@code rewind}. The last round
   * trains the ticket. Every round trains for all the epochs given.
   *
   * @param rounds of pruning, 1 or more; after round r of n the kept fraction is (1 − s)^(r/n)
   * @param rewind step to go back to, 0 for the initial weights
   * @param reinitialize the control: the last round starts from fresh random weights instead
   * @param allocation per layer (with half the rate in the output layer, as in the paper) or global
   */
  record LotteryTicket(int rounds, long rewind, boolean reinitialize, Allocation allocation)
      implements Strategy {
    /** Checks the ranges. */
    public LotteryTicket {
      Objects.requireNonNull(allocation);
      if (rounds < 1 || rewind < 0) {
        throw new IllegalArgumentException(
            "a lottery ticket needs 1 or more rounds and a rewind step of 0 or more, got "
                + rounds
                + " and "
                + rewind);
      }
    }
  }

  /**
   * Dense-sparse-dense (Han et al., arXiv 1607.04381): prune, train sparse for a share of the
   * epochs, then lift the masks and train dense from there. The result is dense.
   *
   * @param allocation of the sparse part
   * @param share fraction of the epochs trained sparse, 0..1
   */
  record DenseSparseDense(Allocation allocation, double share) implements Strategy {
    /** Checks the range. */
    public DenseSparseDense {
      Objects.requireNonNull(allocation);
      checkShare(share);
    }
  }

  /**
   * AC/DC (Peste et al., arXiv 2106.12379): phases of compressed and decompressed training in turn;
   * a compressed phase keeps the largest weights, a decompressed one trains all of them with fresh
   * optimizer state; the last phase is compressed.
   *
   * @param allocation of compressed phases
   * @param warmUp fraction of the epochs trained dense first, 0..1
   * @param phaseEpochs epochs of a phase, 1 or more
   */
  record AcDc(Allocation allocation, double warmUp, int phaseEpochs) implements Strategy {
    /** Checks the ranges. */
    public AcDc {
      Objects.requireNonNull(allocation);
      if (!(warmUp >= 0 && warmUp < 1) || phaseEpochs < 1) {
        throw new IllegalArgumentException(
            "AC/DC needs a warm-up in [0, 1) and phases of 1 or more epochs, got "
                + warmUp
                + " and "
                + phaseEpochs);
      }
    }
  }

  /**
   * Layer-wise second-order pruning with weight update: each layer's outputs over calibration
   * samples are kept as close as can be, ‖W X − Ŵ X‖₂². Layers go one after the other, each sees
   * the inputs that the pruned layers before it make. Then fine-tuning, if there are epochs.
   *
   * @param solver SparseGPT (Frantar &amp; Alistarh, arXiv 2301.00774): columns in order, the
   *     Cholesky factor of the inverse Hessian; OBC (Frantar &amp; Alistarh, arXiv 2208.11580): one
   *     weight after the other, the exact optimum of each step, for layers of up to some thousand
   *     inputs
   * @param pattern unstructured, N:M along the inputs, or block (of a convolution in groups each
   *     group's blocks by themselves)
   * @param allocation of the sparsity over layers: per layer, ERK, LAMP, ratios; not global
   * @param samples calibration samples
   * @param damping added to the Hessian's diagonal, as a share of its mean
   */
  record LayerWise(
      Solver solver, Pattern pattern, Allocation allocation, int samples, double damping)
      implements Strategy {
    /** Checks the ranges. */
    public LayerWise {
      Objects.requireNonNull(solver);
      Objects.requireNonNull(pattern);
      Objects.requireNonNull(allocation);
      if (samples < 1 || !(damping > 0)) {
        throw new IllegalArgumentException(
            "layer-wise pruning needs 1 or more samples and a damping above 0, got "
                + samples
                + " and "
                + damping);
      }
    }
  }

  /** Which layer-wise method. */
  enum Solver {
    SPARSEGPT,
    OBC
  }

  /**
   * ADMM (Zhang et al., arXiv 1804.03294): training with the penalty ρ/2 · ‖w − z + u‖₂², z the
   * projection of w + u on the pattern at the wanted sparsity, u the sum of their differences; then
   * the projection itself, and fine-tuning.
   *
   * @param pattern unstructured, N:M or block
   * @param allocation of the projection
   * @param rho ρ, above 0
   * @param everyEpochs epochs between two updates of z and u
   * @param share fraction of the epochs trained with the penalty, 0..1
   */
  record Admm(Pattern pattern, Allocation allocation, double rho, int everyEpochs, double share)
      implements Strategy {
    /** Checks the ranges. */
    public Admm {
      Objects.requireNonNull(pattern);
      Objects.requireNonNull(allocation);
      checkShare(share);
      if (!(rho > 0) || everyEpochs < 1) {
        throw new IllegalArgumentException(
            "ADMM needs rho above 0 and updates every 1 or more epochs, got "
                + rho
                + " and "
                + everyEpochs);
      }
    }
  }

  /**
   * Whether pattern, masks or explicit ratios say how much goes, so that a budget has no effect.
   */
  default boolean decidesHowMuch() {
    return Budgets.decided(this);
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
