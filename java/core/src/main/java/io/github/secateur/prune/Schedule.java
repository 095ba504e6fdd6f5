package io.github.secateur.prune;

/** When how much is pruned. Times are fractions of the steps of the fine-tuning run, 0..1. */
public sealed interface Schedule {
  /** Everything before fine-tuning. */
  record OneShot() implements Schedule {}

  /**
   * Polynomial (Zhu &amp; Gupta, arXiv 1710.01878, eq. 1): s(t) = s_f + (s_0 − s_f)(1 − (t −
   * begin)/(end − begin))^power, every {@code every} steps.
   */
  record Polynomial(double begin, double end, double power, int every) implements Schedule {
    /** Checks the ranges. */
    public Polynomial {
      if (!(begin >= 0 && begin < end && end <= 1)) {
        throw new IllegalArgumentException(
            "a polynomial schedule needs 0 <= begin < end <= 1, got " + begin + " and " + end);
      }
      if (!(power > 0) || every < 1) {
        throw new IllegalArgumentException(
            "a polynomial schedule needs a power above 0 and a period of 1 or more, got "
                + power
                + " and "
                + every);
      }
    }

    /** Cubic over the first 60 % of the steps, every 100 steps. */
    public static Polynomial defaults() {
      return new Polynomial(0, 0.6, 3, 100);
    }
  }

  /**
   * Rounds of prune and fine-tune: after round r of n the kept fraction is (1 − s)^(r/n), and each
   * round fine-tunes for its share of the epochs.
   */
  record Iterative(int rounds) implements Schedule {
    /** Checks the count. */
    public Iterative {
      if (rounds < 1) {
        throw new IllegalArgumentException(
            "iterative pruning needs 1 or more rounds, got " + rounds);
      }
    }
  }

  /**
   * The kept share falls at a constant rate: 1 − s(t) = (1 − s_f)^((t − begin)/(end − begin)),
   * every {@code every} steps.
   */
  record Exponential(double begin, double end, int every) implements Schedule {
    /** Checks the ranges. */
    public Exponential {
      requireSpan("an exponential", begin, end, every);
    }
  }

  /**
   * Half a cosine: s(t) = s_f · (1 − cos(π (t − begin)/(end − begin))) / 2, every so many steps.
   */
  record Cosine(double begin, double end, int every) implements Schedule {
    /** Checks the ranges. */
    public Cosine {
      requireSpan("a cosine", begin, end, every);
    }
  }

  /**
   * Cycles of equal length, in each of which the sparsity rises anew from 0 to its end by {@link
   * Polynomial} of power 3 over the first 80 % of the cycle; at the start of a cycle all masks are
   * lifted and pruned weights may grow again from 0 (cyclical pruning, Srinivas et al., arXiv
   * 2202.01290). The run ends with exactly what was asked for.
   */
  record Cyclic(int cycles, int every) implements Schedule {
    /** Checks the ranges. */
    public Cyclic {
      if (cycles < 1 || every < 1) {
        throw new IllegalArgumentException(
            "a cyclic schedule needs 1 or more cycles and a period of 1 or more, got "
                + cycles
                + " and "
                + every);
      }
    }
  }

  private static void requireSpan(String which, double begin, double end, int every) {
    if (!(begin >= 0 && begin < end && end <= 1) || every < 1) {
      throw new IllegalArgumentException(
          "%s schedule needs 0 <= begin < end <= 1 and a period of 1 or more, got %s, %s and %d"
              .formatted(which, begin, end, every));
    }
  }
}
