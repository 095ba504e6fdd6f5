package io.github.secateur.solver;

/** What a solver is to remove from a matrix [outputs, inputs]. */
public sealed interface Target {
  /**
   * Exactly so many blocks, counted from the corner; those at the edges may be cut off. A block of
   * one weight is unstructured pruning. A block's cost is the mean over its weights, and one that
   * is pruned already counts first.
   *
   * @param outputs of a block
   * @param inputs of a block
   * @param count blocks that are pruned in the end; those before them may be more
   */
  record Blocks(int outputs, int inputs, long count) implements Target {
    /** Checks the ranges. */
    public Blocks {
      if (outputs < 1 || inputs < 1 || count < 0) {
        throw new IllegalArgumentException(
            "cannot prune %d blocks of %d x %d".formatted(count, outputs, inputs));
      }
    }

    /** Single weights. */
    public static Blocks single(long count) {
      return new Blocks(1, 1, count);
    }
  }

  /**
   * Of every m consecutive inputs of an output n stay, of a last group of r &lt; m ceil(r · n / m).
   */
  record NM(int n, int m) implements Target {
    /** Checks the ranges. */
    public NM {
      if (n < 1 || n > m) {
        throw new IllegalArgumentException("no pattern %d:%d".formatted(n, m));
      }
    }

    /** Weights to prune in a group of {@code size}. */
    int pruned(int size) {
      return size - (size * n + m - 1) / m;
    }
  }
}
