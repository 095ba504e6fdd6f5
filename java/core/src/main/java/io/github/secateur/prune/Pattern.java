package io.github.secateur.prune;

import io.github.secateur.tensor.Mask;
import java.util.Map;
import java.util.Objects;

/**
 * What is removed together. A weight counts as the matrix [outputs, inputs] that its layer
 * multiplies by, however it is stored; the inputs of a convolution are its channels, each with the
 * places of its window (c, k, l in row-major order).
 */
public sealed interface Pattern {
  /** Single weights. */
  record Unstructured() implements Pattern {}

  /**
   * Whole units: neurons of linear layers, channels (filters) of convolutions, with incoming
   * weights, bias, normalization and outgoing weights. Units that the graph ties together (by
   * residual additions, groups, concatenation) go together.
   *
   * <p>Channel counts of no multiple of a vector's length run slower than their operations promise:
   * {@code roundTo} 8 or 16 keeps what runs fast (the {@code round_to} of Torch-Pruning).
   *
   * @param roundTo the units kept of a group are a multiple of this, or all that it has; 1: any
   *     number
   */
  record Neuron(int roundTo) implements Pattern {
    /** Largest multiple. */
    public static final int MOST = 1024;

    /** Checks the range. */
    public Neuron {
      if (roundTo < 1 || roundTo > MOST) {
        throw new IllegalArgumentException(
            "units cannot be kept in multiples of %d; wanted 1 to %d, such as 8"
                .formatted(roundTo, MOST));
      }
    }

    /** Any number of units. */
    public Neuron() {
      this(1);
    }
  }

  /** An axis of a weight's matrix. */
  enum Axis {
    OUTPUT,
    INPUT
  }

  /**
   * Of every m consecutive weights along an axis n stay, of a last group of r &lt; m ceil(r n / m).
   * In a convolution the m are of consecutive channels at one place of the window, as libraries for
   * sparse tensor cores have them. Layers with fewer than m along the axis stay as they are. The
   * sparsity follows; a gradual schedule goes from m − 1 of m down to n of m.
   *
   * @param n kept of every m, 1 to m − 1
   * @param m group size, 2 to 32
   * @param axis INPUT: m consecutive inputs of one output (what sparse tensor cores run); OUTPUT: m
   *     consecutive outputs of one input
   * @param permute whether to search for an order of the channels along the axis that keeps more
   *     (Pool &amp; Yu 2021); the network computes the same, its channels are reordered
   */
  record NM(int n, int m, Axis axis, boolean permute) implements Pattern {
    /** Checks the ranges. */
    public NM {
      Objects.requireNonNull(axis);
      if (n < 1 || n >= m || m > 32) {
        throw new IllegalArgumentException(
            "no pattern %d:%d; wanted 1 <= N < M <= 32, such as 2:4".formatted(n, m));
      }
    }

    /** Share of the weights that goes. */
    public double sparsity() {
      return 1 - (double) n / m;
    }
  }

  /**
   * Blocks of the matrix, from its corner; those at the edges may be cut off. A block's score is
   * the sum of its weights' scores (of their squares for the L2 magnitude, the largest for that of
   * order infinity) over its own size. As many go as bring the number of pruned weights nearest to
   * what was asked for.
   *
   * @param outputs of a block, 1 to 64
   * @param inputs of a block, 1 to 64
   */
  record Block(int outputs, int inputs) implements Pattern {
    /** Checks the ranges. */
    public Block {
      if (outputs < 1 || inputs < 1 || outputs > 64 || inputs > 64 || outputs * inputs == 1) {
        throw new IllegalArgumentException(
            "no block of %d x %d; wanted 1 to 64 outputs x 1 to 64 inputs, not both 1, such as 4x1"
                .formatted(outputs, inputs));
      }
    }
  }

  /**
   * Whole rows or columns of each weight's matrix by itself (for a convolution: filters, or input
   * channels over all places of the window), without what the graph ties to them. Scored and
   * counted as blocks.
   *
   * @param axis OUTPUT: an output's weights go together; INPUT: an input's
   */
  record Line(Axis axis) implements Pattern {
    /** Checks that nothing is missing. */
    public Line {
      Objects.requireNonNull(axis);
    }
  }

  /** Masks made elsewhere, by parameter name. */
  record Given(Map<String, Mask> masks) implements Pattern {}
}
