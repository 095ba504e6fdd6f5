package io.github.secateur.solver;

import io.github.secateur.device.Cholesky;
import io.github.secateur.solver.LayerProblem.Solution;
import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Optimal Brain Compression (Frantar &amp; Alistarh, arXiv 2208.11580, section 4, ExactOBS): one
 * block after the other, each time the one whose removal raises the layer's error least when all
 * weights left are adapted.
 *
 * <pre>
 *   cost of block P of row w = w_P (H⁻¹_PP)⁻¹ w_Pᵀ
 *   w ← w − w_P (H⁻¹_PP)⁻¹ H⁻¹_P:      H⁻¹ ← H⁻¹ without P ({@link ShrinkingInverse})
 * </pre>
 *
 * Rows do not meet in the error, so each is traced to its end by itself; then the exact number is
 * taken from all traces together, always from the row whose next step is cheapest (algorithm 2).
 * Rows of a block of several outputs share their mask, and so one H⁻¹ (weights of a living block
 * that were pruned before are let free while blocks are chosen). In the end each row's weights are
 * set to the {@link Optimum} for its mask: the same in exact arithmetic, and free of what rounding
 * left in a long trace.
 *
 * <p>Costs outputs · inputs³ / 3 multiply-adds: for layers of up to some thousand inputs.
 */
public final class Obc {
  private final LayerProblem problem;
  private final int inputs;
  private final Hessian.Damped hessian;
  private final Optimum optimum;
  private final boolean[] kept;

  /**
   * The order in which a band of rows loses its groups of columns.
   *
   * @param groups first to go first
   * @param costs of each step, over the size of the block
   */
  private record Trace(int band, int[] groups, double[] costs) {}

  private Obc(LayerProblem problem) {
    this.problem = problem;
    this.inputs = problem.inputs();
    this.hessian = problem.hessian().damped(problem.damping());
    this.optimum = new Optimum(problem, hessian.h());
    this.kept = problem.kept().clone();
  }

  /**
   * Prunes a layer.
   *
   * @throws IllegalArgumentException when the Hessian cannot be inverted
   */
  public static Solution solve(LayerProblem problem, Target target) {
    Obc run = new Obc(problem);
    switch (target) {
      case Target.Blocks blocks -> run.blocks(blocks);
      case Target.NM nm ->
          IntStream.range(0, problem.outputs()).parallel().forEach(row -> run.groups(nm, row));
    }
    return LayerProblem.solution(run.optimum.weights(run.kept), run.kept);
  }

  private void blocks(Target.Blocks target) {
    BlockGrid grid = new BlockGrid(problem, target, kept);
    if (grid.missing() == 0) {
      return;
    }
    Trace[] traces =
        IntStream.range(0, grid.bands())
            .parallel()
            .mapToObj(band -> trace(grid, band))
            .toArray(Trace[]::new);
    int[] at = new int[traces.length];
    PriorityQueue<Trace> next =
        new PriorityQueue<>(
            (a, b) -> {
              int byCost = Double.compare(a.costs[at[a.band]], b.costs[at[b.band]]);
              return byCost != 0 ? byCost : Integer.compare(b.band, a.band);
            });
    for (Trace trace : traces) {
      if (trace.groups.length > 0) {
        next.add(trace);
      }
    }
    while (grid.missing() > 0) {
      Trace cheapest = next.remove();
      grid.prune(cheapest.band, cheapest.groups[at[cheapest.band]++]);
      if (at[cheapest.band] < cheapest.groups.length) {
        next.add(cheapest);
      }
    }
  }

  private Trace trace(BlockGrid grid, int band) {
    int[] columns = liveColumns(grid.firstRow(band), grid.firstRow(band + 1));
    ShrinkingInverse inverse = inverse(columns);
    double[][] rows = rows(grid.firstRow(band), grid.firstRow(band + 1), columns);
    int[] live = IntStream.range(0, grid.groups()).filter(g -> grid.candidate(band, g)).toArray();
    int[] order = new int[live.length];
    double[] costs = new double[live.length];
    for (int step = 0; step < order.length; step++) {
      int best = -1;
      double lowest = Double.POSITIVE_INFINITY;
      for (int i = 0; i < live.length; i++) {
        if (live[i] >= 0) {
          int group = live[i];
          double cost =
              cost(inverse, rows, grid.firstColumn(group), grid.firstColumn(group + 1))
                  / grid.size(band, group);
          if (best < 0 || cost <= lowest) {
            best = i;
            lowest = cost;
          }
        }
      }
      int group = live[best];
      for (int c = grid.firstColumn(group); c < grid.firstColumn(group + 1); c++) {
        if (inverse.placeOf(c) >= 0) {
          inverse.remove(inverse.placeOf(c), rows);
        }
      }
      order[step] = group;
      costs[step] = lowest;
      live[best] = -1;
    }
    return new Trace(band, order, costs);
  }

  /** Σ over rows of w_P (H⁻¹_PP)⁻¹ w_Pᵀ, P the columns that are still there. */
  private static double cost(ShrinkingInverse inverse, double[][] rows, int from, int to) {
    if (to - from == 1) {
      int p = inverse.placeOf(from);
      double sum = 0;
      for (double[] w : rows) {
        sum += w[p] * w[p];
      }
      return sum / inverse.get(p, p);
    }
    int[] p = IntStream.range(from, to).map(inverse::placeOf).filter(place -> place >= 0).toArray();
    double[] factor = new double[p.length * p.length];
    for (int i = 0; i < p.length; i++) {
      for (int j = 0; j < p.length; j++) {
        factor[i * p.length + j] = inverse.get(p[i], p[j]);
      }
    }
    Cholesky.PLAIN.factor(factor, p.length);
    double sum = 0;
    double[] y = new double[p.length];
    for (double[] w : rows) {
      // L y = w_P, so that ‖y‖² is the cost.
      for (int i = 0; i < p.length; i++) {
        double rest = w[p[i]];
        for (int k = 0; k < i; k++) {
          rest -= factor[i * p.length + k] * y[k];
        }
        y[i] = rest / factor[i * p.length + i];
        sum += y[i] * y[i];
      }
    }
    return sum;
  }

  /** Fills each group of a row. */
  private void groups(Target.NM target, int row) {
    int[] open = new int[target.groups(inputs)];
    for (int g = 0; g < open.length; g++) {
      open[g] = fillFree(target, row, target.first(g));
    }
    int[] columns = liveColumns(row, row + 1);
    ShrinkingInverse inverse = inverse(columns);
    double[][] rows = rows(row, row + 1, columns);
    for (int missing = Arrays.stream(open).sum(); missing > 0; missing--) {
      int best = -1;
      double lowest = Double.POSITIVE_INFINITY;
      for (int p = 0; p < inverse.places(); p++) {
        int column = inverse.variableAt(p);
        if (column >= 0 && open[target.group(column)] > 0) {
          double cost = rows[0][p] * rows[0][p] / inverse.get(p, p);
          if (best < 0 || cost <= lowest) {
            best = p;
            lowest = cost;
          }
        }
      }
      int column = inverse.variableAt(best);
      open[target.group(column)]--;
      kept[row * inputs + column] = false;
      inverse.remove(best, rows);
    }
  }

  /**
   * Prunes of a group first what reads dead inputs, the smallest first.
   *
   * @return how many more the group must lose
   */
  private int fillFree(Target.NM target, int row, int from) {
    int size = target.size(target.group(from), inputs);
    int missing = target.pruned(size);
    double[] free = new double[size];
    int count = 0;
    for (int i = 0; i < size; i++) {
      int at = row * inputs + from + i;
      missing -= kept[at] ? 0 : 1;
      boolean dead = kept[at] && problem.hessian().dead(from + i);
      count += dead ? 1 : 0;
      free[i] = dead ? Math.abs(problem.weights()[at]) : Double.POSITIVE_INFINITY;
    }
    int take = Math.clamp(missing, 0, count);
    boolean[] taken = Lowest.of(free, take);
    for (int i = 0; i < size; i++) {
      kept[row * inputs + from + i] &= !taken[i];
    }
    return Math.max(0, missing - take);
  }

  /** Columns that matter to some rows: living inputs that one of the rows still reads. */
  private int[] liveColumns(int firstRow, int endRow) {
    return IntStream.range(0, inputs)
        .filter(j -> !problem.hessian().dead(j))
        .filter(j -> IntStream.range(firstRow, endRow).anyMatch(row -> kept[row * inputs + j]))
        .toArray();
  }

  /** The inverse of H over some columns; dead ones have no part in those of the others. */
  private ShrinkingInverse inverse(int[] columns) {
    long live = IntStream.range(0, inputs).filter(j -> !problem.hessian().dead(j)).count();
    if (columns.length == live) {
      return new ShrinkingInverse(hessian.inverse(), columns, inputs);
    }
    double[] part = new double[inputs * inputs];
    double[] packed = optimum.factor(columns);
    Cholesky.best().invert(packed, columns.length);
    for (int i = 0; i < columns.length; i++) {
      for (int j = 0; j < columns.length; j++) {
        part[columns[i] * inputs + columns[j]] = packed[i * columns.length + j];
      }
    }
    return new ShrinkingInverse(part, columns, inputs);
  }

  private double[][] rows(int firstRow, int endRow, int[] columns) {
    double[][] rows = new double[endRow - firstRow][columns.length];
    for (int r = 0; r < rows.length; r++) {
      for (int i = 0; i < columns.length; i++) {
        int at = (firstRow + r) * inputs + columns[i];
        rows[r][i] = kept[at] ? problem.weights()[at] : 0;
      }
    }
    return rows;
  }
}
