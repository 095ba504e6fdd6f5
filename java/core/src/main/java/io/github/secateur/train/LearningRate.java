package io.github.secateur.train;

/** Learning rate as a function of the training step. */
public sealed interface LearningRate {
  /** Rate of step {@code step} (0-based) of {@code total}. */
  float at(long step, long total);

  /** The same rate throughout. */
  record Constant(float rate) implements LearningRate {
    /** Checks the rate. */
    public Constant {
      checkRate(rate);
    }

    @Override
    public float at(long step, long total) {
      return rate;
    }
  }

  /**
   * rate · (1 + cos(π step / total)) / 2 (Loshchilov &amp; Hutter, arXiv 1608.03983, without
   * restarts).
   */
  record Cosine(float rate) implements LearningRate {
    /** Checks the rate. */
    public Cosine {
      checkRate(rate);
    }

    @Override
    public float at(long step, long total) {
      return (float) (rate * 0.5 * (1 + StrictMath.cos(Math.PI * step / Math.max(1, total))));
    }
  }

  /** rate · factor^(step / every), whole steps of decay. */
  record Step(float rate, float factor, long every) implements LearningRate {
    /** Checks the ranges. */
    public Step {
      checkRate(rate);
      if (!(factor > 0 && factor <= 1) || every < 1) {
        throw new IllegalArgumentException(
            "step decay needs a factor in (0, 1] and a period of 1 or more, got "
                + factor
                + " and "
                + every);
      }
    }

    @Override
    public float at(long step, long total) {
      return (float) (rate * StrictMath.pow(factor, (double) (step / every)));
    }
  }

  private static void checkRate(float rate) {
    if (!(rate > 0 && rate < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("learning rate must be above 0, got " + rate);
    }
  }
}
