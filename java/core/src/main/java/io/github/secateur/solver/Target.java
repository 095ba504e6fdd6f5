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
   *
   * @param n kept
   * @param m group size
   * @param run inputs that groups are counted from anew: of a convolution its channels at one place
   *     of the window
   */
  record NM(int n, int m, int run) implements Target {
    /** Checks the ranges. */
    public NM {
      if (n < 1 || n > m || run < 1) {
        throw new IllegalArgumentException("no pattern %d:%d in %d".formatted(n, m, run));
      }
    }

    /** All inputs in one run. */
    public NM(int n, int m) {
      this(n, m, Integer.MAX_VALUE);
    }

    private int perRun() {
      return Math.ceilDiv(run, m);
    }

    /** Groups of so many inputs. */
    int groups(int inputs) {
      return inputs / run * perRun() + Math.ceilDiv(inputs % run, m);
    }

    /** The group of an input. */
    int group(int input) {
      return input / run * perRun() + input % run / m;
    }

    /** The first input of a group. */
    int first(int group) {
      return group / perRun() * run + group % perRun() * m;
    }

    /** How many of so many inputs are in a group. */
    int size(int group, int inputs) {
      int left = Math.min(run - group % perRun() * m, inputs - first(group));
      return Math.min(m, left);
    }

    /** Weights to prune in a group of {@code size}. */
    int pruned(int size) {
      return size - (size * n + m - 1) / m;
    }
  }
}
