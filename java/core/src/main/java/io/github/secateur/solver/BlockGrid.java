package io.github.secateur.solver;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The blocks of a layer, and those among them that go before any other: blocks pruned already, and
 * then blocks whose live weights all read dead inputs, the smallest first.
 */
final class BlockGrid {
  private final LayerProblem problem;
  private final Target.Blocks target;
  private final boolean[] kept;
  private long missing;

  /**
   * @param kept of the weights, written: {@link #prune} clears it
   */
  BlockGrid(LayerProblem problem, Target.Blocks target, boolean[] kept) {
    this.problem = problem;
    this.target = target;
    this.kept = kept;
    long all = (long) bands() * groups();
    if (target.count() > all) {
      throw new IllegalArgumentException(
          "cannot prune %d of %d blocks".formatted(target.count(), all));
    }
    missing = target.count();
    List<long[]> free = new ArrayList<>();
    List<Double> sizes = new ArrayList<>();
    for (int band = 0; band < bands(); band++) {
      for (int group = 0; group < groups(); group++) {
        if (!alive(band, group)) {
          missing--;
        } else if (isFree(band, group)) {
          free.add(new long[] {sizes.size(), band, group});
          sizes.add(squares(band, group));
        }
      }
    }
    // Of equal ones the later goes first.
    free.sort(
        Comparator.<long[]>comparingDouble(f -> sizes.get((int) f[0]))
            .thenComparing(Comparator.<long[]>comparingLong(f -> f[0]).reversed()));
    for (long[] block : free) {
      if (missing <= 0) {
        break;
      }
      prune((int) block[1], (int) block[2]);
    }
  }

  /** Rows of blocks. */
  int bands() {
    return Math.ceilDiv(problem.outputs(), target.outputs());
  }

  /** Columns of blocks. */
  int groups() {
    return Math.ceilDiv(problem.inputs(), target.inputs());
  }

  /** First row of a band; that of the one past the last ends the matrix. */
  int firstRow(int band) {
    return Math.min(problem.outputs(), band * target.outputs());
  }

  /** First column of a group. */
  int firstColumn(int group) {
    return Math.min(problem.inputs(), group * target.inputs());
  }

  /** Blocks still to be pruned. */
  long missing() {
    return Math.max(0, missing);
  }

  /** Whether a block keeps a weight. */
  boolean alive(int band, int group) {
    for (int row = firstRow(band); row < firstRow(band + 1); row++) {
      for (int column = firstColumn(group); column < firstColumn(group + 1); column++) {
        if (kept[row * problem.inputs() + column]) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether a block can be had: it lives. Free ones that are left stay, as nothing is missing. */
  boolean candidate(int band, int group) {
    return missing > 0 && alive(band, group);
  }

  private boolean isFree(int band, int group) {
    for (int row = firstRow(band); row < firstRow(band + 1); row++) {
      for (int column = firstColumn(group); column < firstColumn(group + 1); column++) {
        if (kept[row * problem.inputs() + column] && !problem.hessian().dead(column)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Weights of a block, live or not. */
  int size(int band, int group) {
    return (firstRow(band + 1) - firstRow(band)) * (firstColumn(group + 1) - firstColumn(group));
  }

  private double squares(int band, int group) {
    double sum = 0;
    for (int row = firstRow(band); row < firstRow(band + 1); row++) {
      for (int column = firstColumn(group); column < firstColumn(group + 1); column++) {
        double w = problem.weights()[row * problem.inputs() + column];
        sum += w * w;
      }
    }
    return sum / size(band, group);
  }

  /** Takes a live block. */
  void prune(int band, int group) {
    for (int row = firstRow(band); row < firstRow(band + 1); row++) {
      for (int column = firstColumn(group); column < firstColumn(group + 1); column++) {
        kept[row * problem.inputs() + column] = false;
      }
    }
    missing--;
  }
}
