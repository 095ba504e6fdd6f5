package io.github.secateur.device;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a sparse weight W [out, in] is laid out and multiplied. Every format computes the same
 * product; they differ in the patterns they take, in bytes and in speed. Which of them a device
 * has, {@link SparseOps#supports} says.
 */
public sealed interface SparseFormat {
  /** Single nonzeros by row, any pattern: {@code csr}. For batches, and for training. */
  record Rows() implements SparseFormat {
    @Override
    public String label() {
      return "csr";
    }
  }

  /** Single nonzeros, any pattern, read once for a few activations: {@code gather}. */
  record Gather() implements SparseFormat {
    @Override
    public String label() {
      return "gather";
    }
  }

  /**
   * Blocks, stored whole when any of their weights is: {@code 4x1}. Any pattern, but what a block
   * holds besides nonzeros is multiplied too.
   *
   * @param rows outputs of a block, 1..64
   * @param cols inputs of a block, 1..64, not 1 when rows is 1
   */
  record Blocks(int rows, int cols) implements SparseFormat {
    /** Checks the ranges. */
    public Blocks {
      if (rows < 1 || rows > 64 || cols < 1 || cols > 64 || rows * cols == 1) {
        throw new IllegalArgumentException(
            "blocks of %d x %d weights: each extent is 1 to 64, and not both are 1"
                .formatted(rows, cols));
      }
    }

    @Override
    public String label() {
      return rows + "x" + cols;
    }
  }

  /**
   * At most n weights in every m consecutive inputs of an output: {@code 2:4}. Other patterns are
   * refused.
   *
   * @param n 1..m−1
   * @param m 2..32
   */
  record NM(int n, int m) implements SparseFormat {
    /** Checks the ranges. */
    public NM {
      if (n < 1 || n >= m || m > 32) {
        throw new IllegalArgumentException(
            "%d:%d is no N:M pattern; 1 <= N < M <= 32".formatted(n, m));
      }
    }

    @Override
    public String label() {
      return n + ":" + m;
    }
  }

  /** Short name for reports and files: {@code csr}, {@code gather}, {@code 4x1}, {@code 2:4}. */
  String label();

  /**
   * The format of a {@link #label}.
   *
   * @throws IllegalArgumentException for any other text
   */
  static SparseFormat parse(String label) {
    if (label.equals("csr")) {
      return new Rows();
    }
    if (label.equals("gather")) {
      return new Gather();
    }
    Matcher pair = Pattern.compile("(\\d{1,3})([x:])(\\d{1,3})").matcher(label);
    if (!pair.matches()) {
      throw new IllegalArgumentException(
          "'%s' is no sparse format; use csr, gather, RxC such as 4x1, or N:M such as 2:4"
              .formatted(label));
    }
    int first = Integer.parseInt(pair.group(1));
    int second = Integer.parseInt(pair.group(3));
    return pair.group(2).equals("x") ? new Blocks(first, second) : new NM(first, second);
  }
}
