package io.github.secateur.train;

/** How parameters follow their gradients. The learning rate comes from {@link LearningRate}. */
public sealed interface Optimizer {
  /** Stochastic gradient descent; formula in {@code NnOps.Sgd}. */
  record Sgd(float momentum, float weightDecay, boolean nesterov) implements Optimizer {
    /** Checks the ranges. */
    public Sgd {
      if (!(momentum >= 0 && momentum < 1)) {
        throw new IllegalArgumentException("momentum must be in [0, 1), got " + momentum);
      }
      checkDecay(weightDecay);
      if (nesterov && momentum == 0) {
        throw new IllegalArgumentException("Nesterov needs a momentum above 0");
      }
    }
  }

  /** Adam, or AdamW when the weight decay is decoupled. */
  record Adam(float beta1, float beta2, float epsilon, float weightDecay, boolean decoupled)
      implements Optimizer {
    /** Checks the ranges. */
    public Adam {
      if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
        throw new IllegalArgumentException(
            "Adam's betas must be in [0, 1), got " + beta1 + " and " + beta2);
      }
      if (!(epsilon > 0)) {
        throw new IllegalArgumentException("Adam's epsilon must be above 0, got " + epsilon);
      }
      checkDecay(weightDecay);
    }

    /** The usual constants: 0.9, 0.999, 1e-8, no decay. */
    public static Adam defaults() {
      return new Adam(0.9f, 0.999f, 1e-8f, 0f, false);
    }
  }

  private static void checkDecay(float weightDecay) {
    if (!(weightDecay >= 0)) {
      throw new IllegalArgumentException("weight decay must be 0 or more, got " + weightDecay);
    }
  }
}
