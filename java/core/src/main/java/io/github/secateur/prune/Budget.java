package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** How small the network is to become. */
public sealed interface Budget {
  /**
   * A share of the prunable weights to remove.
   *
   * @param sparsity 0..1; not read where explicit ratios, given masks or N:M decide themselves
   */
  record Sparsity(double sparsity) implements Budget {
    /** Checks the range. */
    public Sparsity {
      if (!(sparsity >= 0 && sparsity <= 1)) {
        throw new IllegalArgumentException(
            "sparsity must be between 0 and 1, got " + sparsity + "; write 0.9 for 90 %");
      }
    }
  }

  /** What a model costs by its weights alone. */
  enum Unit {
    /** Nonzero parameters, biases and all. */
    PARAMETERS,
    /** Multiply-adds of a sample, those by zero left out, times two. */
    FLOPS,
    /** Bytes of the parameters as they would be stored, sparse where that is smaller. */
    BYTES
  }

  /**
   * At most this much of something countable.
   *
   * @param unit what is counted
   * @param limit above 0; up to 1 a share of the dense model's, above 1 an absolute number
   */
  record Counted(Unit unit, double limit) implements Budget {
    /** Checks the range. */
    public Counted {
      Objects.requireNonNull(unit);
      if (!(limit > 0)) {
        throw new IllegalArgumentException(
            "a budget must be above 0 (up to 1 a share, above 1 a number), got " + limit);
      }
    }
  }

  /**
   * At most this much of something measured, such as the latency of a batch.
   *
   * @param name what it is, for messages, such as "µs at batch 64"
   * @param limit as for {@link Counted}
   * @param cost measures a pruned model
   */
  record Measured(String name, double limit, ToDoubleFunction<Model> cost) implements Budget {
    /** Checks the range. */
    public Measured {
      Objects.requireNonNull(cost);
      if (!(limit > 0)) {
        throw new IllegalArgumentException(
            "a budget must be above 0 (up to 1 a share, above 1 a number), got " + limit);
      }
    }
  }
}
