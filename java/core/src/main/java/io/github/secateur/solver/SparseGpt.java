package io.github.secateur.solver;

import io.github.secateur.device.Cholesky;
import io.github.secateur.solver.LayerProblem.Solution;
import java.util.stream.IntStream;

/**
 * SparseGPT (Frantar &amp; Alistarh, arXiv 2301.00774, algorithm 1): the columns of W from left to
 * right; what a pruned weight leaves undone, the weights to its right make up for, by the step that
 * is optimal when all columns before are frozen.
 *
 * <p>With U the upper Cholesky factor of the inverse Hessian, H⁻¹ = Uᵀ U, and U[j,j]² the element
 * (j, j) of the inverse over columns j and up, column j of a row w does
 *
 * <pre>
 *   cost = w[j]² / U[j,j]²
 *   pruned:  e = w[j] / U[j,j],  w[j..] ← w[j..] − e · U[j,j..]  (so w[j] = 0)
 * </pre>
 *
 * Columns come in batches of about {@value #BATCH}: masks are chosen when a batch begins, with the
 * weights as they are by then, and columns behind the batch are updated once for all of it. N:M
 * masks are chosen group by group. U is [inputs, inputs], computed once for all rows: inputs³ for U
 * and outputs · inputs² for the updates.
 *
 * <p>The paper prunes the same share in each batch. Here batches share the layer's exact number by
 * the costs of the weights as they were before: a batch gives what one threshold over the whole
 * layer would take from it. Where inputs differ much, as the pixels of an image do, that matters;
 * where they do not it comes to the same.
 */
public final class SparseGpt {
  private static final int BATCH = 128;

  private final LayerProblem problem;
  private final int inputs;
  private final double[] u;
  private final double[] w;
  private final boolean[] kept;

  private SparseGpt(LayerProblem problem) {
    this.problem = problem;
    this.inputs = problem.inputs();
    this.u = upperFactor(problem.hessian().damped(problem.damping()).inverse(), inputs);
    this.w = problem.doubles();
    this.kept = problem.kept().clone();
  }

  /**
   * Prunes a layer.
   *
   * @throws IllegalArgumentException when the Hessian cannot be inverted
   */
  public static Solution solve(LayerProblem problem, Target target) {
    SparseGpt run = new SparseGpt(problem);
    switch (target) {
      case Target.Blocks blocks -> run.blocks(blocks);
      case Target.NM nm -> run.nm(nm);
    }
    return LayerProblem.solution(run.w, run.kept);
  }

  private static double[] upperFactor(double[] inverse, int n) {
    if (!Cholesky.best().factor(inverse, n)) {
      throw new IllegalArgumentException(
          "the inverse Hessian of %d inputs is not positive definite; use a larger damping"
              .formatted(n));
    }
    double[] upper = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        upper[i * n + j] = inverse[j * n + i];
      }
    }
    return upper;
  }

  private void blocks(Target.Blocks target) {
    BlockGrid grid = new BlockGrid(problem, target, kept);
    int perBatch = Math.max(1, BATCH / target.inputs());
    int[] quotas = quotas(grid, perBatch);
    for (int batch = 0; batch < quotas.length; batch++) {
      int firstGroup = batch * perBatch;
      int endGroup = Math.min(grid.groups(), firstGroup + perBatch);
      select(grid, firstGroup, endGroup, quotas[batch]);
      int from = grid.firstColumn(firstGroup);
      int to = grid.firstColumn(endGroup);
      IntStream.range(0, problem.outputs()).parallel().forEach(row -> update(row, from, to, null));
    }
  }

  private void nm(Target.NM target) {
    int end = 0;
    while (end < inputs) {
      int from = end;
      do {
        end += target.size(target.group(end), inputs);
      } while (end < inputs && end - from + target.m() <= BATCH);
      int to = end;
      IntStream.range(0, problem.outputs())
          .parallel()
          .forEach(row -> update(row, from, to, target));
    }
  }

  /** How many blocks each batch of {@code perBatch} groups gives. */
  private int[] quotas(BlockGrid grid, int perBatch) {
    int[] quotas = new int[Math.ceilDiv(grid.groups(), perBatch)];
    double[] costs = costs(grid, 0, grid.groups());
    boolean[] taken = Lowest.of(costs, Math.toIntExact(grid.missing()));
    for (int i = 0; i < taken.length; i++) {
      quotas[i % grid.groups() / perBatch] += taken[i] ? 1 : 0;
    }
    return quotas;
  }

  private void select(BlockGrid grid, int firstGroup, int endGroup, int count) {
    boolean[] taken = Lowest.of(costs(grid, firstGroup, endGroup), count);
    int groups = endGroup - firstGroup;
    for (int i = 0; i < taken.length; i++) {
      if (taken[i]) {
        grid.prune(i / groups, firstGroup + i % groups);
      }
    }
  }

  /** Costs of blocks [bands, groups], infinite where one is pruned already. */
  private double[] costs(BlockGrid grid, int firstGroup, int endGroup) {
    int groups = endGroup - firstGroup;
    double[] costs = new double[grid.bands() * groups];
    for (int i = 0; i < costs.length; i++) {
      int band = i / groups;
      int group = firstGroup + i % groups;
      costs[i] = grid.alive(band, group) ? cost(grid, band, group) : Double.POSITIVE_INFINITY;
    }
    return costs;
  }

  private double cost(BlockGrid grid, int band, int group) {
    double sum = 0;
    for (int row = grid.firstRow(band); row < grid.firstRow(band + 1); row++) {
      for (int j = grid.firstColumn(group); j < grid.firstColumn(group + 1); j++) {
        sum += kept[row * inputs + j] ? cost(row, j) : 0;
      }
    }
    return sum / grid.size(band, group);
  }

  private double cost(int row, int column) {
    double scaled = w[row * inputs + column] / u[column * inputs + column];
    return scaled * scaled;
  }

  /**
   * Goes through a batch of columns of one row, then updates the columns behind it.
   *
   * @param nm chooses the mask on the way; null when it is chosen
   */
  private void update(int row, int from, int to, Target.NM nm) {
    int base = row * inputs;
    double[] errors = new double[to - from];
    for (int j = from; j < to; j++) {
      if (nm != null && nm.first(nm.group(j)) == j) {
        choose(nm, row, j);
      }
      if (!kept[base + j]) {
        double error = w[base + j] / u[j * inputs + j];
        errors[j - from] = error;
        subtract(error, j, base, j + 1, to);
        w[base + j] = 0;
      }
    }
    for (int j = from; j < to; j++) {
      subtract(errors[j - from], j, base, to, inputs);
    }
  }

  /** w[row, from..to] −= error · U[j, from..to]. */
  private void subtract(double error, int j, int base, int from, int to) {
    if (error == 0) {
      return;
    }
    int offset = j * inputs;
    for (int t = from; t < to; t++) {
      w[base + t] -= error * u[offset + t];
    }
  }

  /** Prunes a group of one row; what is pruned or reads a dead input goes first. */
  private void choose(Target.NM nm, int row, int from) {
    int size = nm.size(nm.group(from), inputs);
    double[] costs = new double[size];
    int pruned = 0;
    for (int i = 0; i < size; i++) {
      boolean gone = !kept[row * inputs + from + i];
      pruned += gone ? 1 : 0;
      boolean dead = problem.hessian().dead(from + i);
      // Costs are 0 or more: below them the pruned, then the dead by size, which are below 0.
      costs[i] = gone ? Double.NEGATIVE_INFINITY : cost(row, from + i);
      if (!gone && dead) {
        costs[i] = -1 / (1 + Math.abs(w[row * inputs + from + i]));
      }
    }
    boolean[] taken = Lowest.of(costs, Math.max(pruned, nm.pruned(size)));
    for (int i = 0; i < size; i++) {
      kept[row * inputs + from + i] &= !taken[i];
    }
  }
}
