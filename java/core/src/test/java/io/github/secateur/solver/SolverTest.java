package io.github.secateur.solver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.solver.LayerProblem.Solution;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both solvers against least squares by Gaussian elimination and against all masks there are. */
class SolverTest {
  /** So small that damped and undamped errors are the same to rounding. */
  private static final double DAMPING = 1e-7;

  /** A solver by name. */
  private record Solver(String name, BiFunction<LayerProblem, Target, Solution> solve) {
    Solution of(LayerProblem problem, Target target) {
      return solve.apply(problem, target);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Solver> solvers() {
    return Stream.of(new Solver("SparseGPT", SparseGpt::solve), new Solver("OBC", Obc::solve));
  }

  @Test
  void obcGivesTheLeastSquaresOptimumOfItsMask() {
    for (int seed = 0; seed < 20; seed++) {
      LayerProblem p = problem(4, 9, seed);
      Solution s = Obc.solve(p, Target.Blocks.single(18));
      float[] best = leastSquares(p, s.kept());
      for (int i = 0; i < best.length; i++) {
        assertEquals(best[i], s.weights()[i], 1e-3);
      }
    }
  }

  @Test
  void theFirstWeightThatObcRemovesIsTheBestOne() {
    for (int seed = 0; seed < 20; seed++) {
      LayerProblem p = problem(3, 6, seed);
      Solution s = Obc.solve(p, Target.Blocks.single(1));
      double best = Double.POSITIVE_INFINITY;
      for (int i = 0; i < 18; i++) {
        boolean[] kept = p.kept().clone();
        kept[i] = false;
        best = Math.min(best, error(p, leastSquares(p, kept)));
      }
      assertEquals(best, error(p, s.weights()), 1e-4 * best + 1e-5);
    }
  }

  @Test
  void noSolverBeatsTheBestMaskAndObcIsNearIt() {
    double all = 0;
    double obcs = 0;
    for (int seed = 0; seed < 20; seed++) {
      LayerProblem p = problem(1, 8, seed);
      Target half = Target.Blocks.single(4);
      double obc = error(p, Obc.solve(p, half).weights());
      double gpt = error(p, SparseGpt.solve(p, half).weights());
      double best = exhaustive(p, 4);
      assertTrue(obc >= best * (1 - 1e-3) - 1e-4, obc + " below " + best);
      assertTrue(gpt >= best * (1 - 1e-3) - 1e-4, gpt + " below " + best);
      all += best;
      obcs += obc;
    }
    assertTrue(obcs < 1.25 * all, "OBC " + obcs + ", best " + all);
  }

  @Test
  void updatingWeightsBeatsMagnitudeAndExactUpdatesBeatSparseGpt() {
    double magnitudes = 0;
    double sparseGpts = 0;
    double obcs = 0;
    for (int seed = 0; seed < 10; seed++) {
      LayerProblem p = problem(12, 200, seed);
      Target target = Target.Blocks.single(1800);
      double magnitude = error(p, byMagnitude(p, 1800));
      double gpt = error(p, SparseGpt.solve(p, target).weights());
      double obc = error(p, Obc.solve(p, target).weights());
      assertTrue(gpt < magnitude, gpt + " not below " + magnitude);
      assertTrue(obc < gpt, obc + " not below " + gpt);
      magnitudes += magnitude;
      sparseGpts += gpt;
      obcs += obc;
    }
    assertTrue(sparseGpts < 0.7 * magnitudes, sparseGpts + " of " + magnitudes);
    assertTrue(obcs < 0.9 * sparseGpts, obcs + " of " + sparseGpts);
  }

  /**
   * From the definition: column j, all before it frozen, is removed with the inverse of H over
   * columns j and up; the mask takes the lowest w² over the first element of that inverse.
   */
  @Test
  void sparseGptFollowsItsDefinition() {
    for (int seed = 0; seed < 10; seed++) {
      int n = 9;
      LayerProblem p = problem(4, n, seed);
      double[] h = p.hessian().damped(p.damping()).h();
      Solution s = SparseGpt.solve(p, Target.Blocks.single(20));
      double[] w = p.doubles();
      double[] costs = new double[w.length];
      for (int j = 0; j < n; j++) {
        double[] first = firstRowOfInverse(h, n, j);
        for (int row = 0; row < 4; row++) {
          double before = p.weights()[row * n + j];
          costs[row * n + j] = before * before / first[0];
          if (!s.kept()[row * n + j]) {
            double error = w[row * n + j] / first[0];
            for (int t = j; t < n; t++) {
              w[row * n + t] -= error * first[t - j];
            }
          }
        }
      }
      double dearest = 0;
      double cheapest = Double.POSITIVE_INFINITY;
      for (int i = 0; i < w.length; i++) {
        assertEquals(w[i], s.weights()[i], 1e-4);
        if (s.kept()[i]) {
          cheapest = Math.min(cheapest, costs[i]);
        } else {
          dearest = Math.max(dearest, costs[i]);
        }
      }
      assertTrue(dearest <= cheapest * (1 + 1e-6), dearest + " above " + cheapest);
    }
  }

  /** Row 0 of the inverse of H over columns from {@code j} on. */
  private static double[] firstRowOfInverse(double[] h, int n, int j) {
    int size = n - j;
    double[][] system = new double[size][size + 1];
    for (int r = 0; r < size; r++) {
      for (int c = 0; c < size; c++) {
        system[r][c] = h[(j + r) * n + j + c];
      }
    }
    system[0][size] = 1;
    return eliminate(system);
  }

  @Test
  void withoutCorrelationsMagnitudeIsOptimalAndWeightsStay() {
    float[] h = new float[7 * 7];
    for (int i = 0; i < 7; i++) {
      h[i * 7 + i] = 3;
    }
    LayerProblem p = problem(5, 7, h, 3);
    float[] expected = byMagnitude(p, 20);
    assertArrayEquals(expected, SparseGpt.solve(p, Target.Blocks.single(20)).weights());
    assertArrayEquals(expected, Obc.solve(p, Target.Blocks.single(20)).weights());
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void exactlyTheWeightsAskedForArePlusZero(Solver solver) {
    LayerProblem p = problem(7, 300, 5);
    for (int k : new int[] {0, 1, 1000, 2099, 2100}) {
      Solution s = solver.of(p, Target.Blocks.single(k));
      assertEquals(k, pruned(s.kept()));
      assertPlusZero(s);
    }
    assertArrayEquals(p.weights(), solver.of(p, Target.Blocks.single(0)).weights());
    assertThrows(IllegalArgumentException.class, () -> solver.of(p, Target.Blocks.single(2101)));
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void whatIsPrunedAlreadyStaysPrunedAndCountsFirst(Solver solver) {
    LayerProblem dense = problem(6, 40, 8);
    Solution first = solver.of(dense, Target.Blocks.single(100));
    LayerProblem again = with(dense, first.weights(), first.kept());
    Solution second = solver.of(again, Target.Blocks.single(180));
    assertEquals(180, pruned(second.kept()));
    for (int i = 0; i < 240; i++) {
      assertFalse(second.kept()[i] && !first.kept()[i]);
    }
    assertPlusZero(second);
    Solution fewer = solver.of(again, Target.Blocks.single(50));
    assertArrayEquals(first.kept(), fewer.kept());
    assertArrayEquals(first.weights(), fewer.weights());
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void weightsOfDeadInputsGoFirstTheSmallestFirst(Solver solver) {
    float[] h = gram(10, 40, 3);
    for (int dead : new int[] {2, 7}) {
      for (int i = 0; i < 10; i++) {
        h[dead * 10 + i] = 0;
        h[i * 10 + dead] = 0;
      }
    }
    LayerProblem p = problem(4, 10, h, 9);
    Solution some = solver.of(p, Target.Blocks.single(5));
    float largestGone = 0;
    float smallestLeft = Float.POSITIVE_INFINITY;
    for (int i = 0; i < 40; i++) {
      boolean dead = i % 10 == 2 || i % 10 == 7;
      assertTrue(some.kept()[i] || dead);
      assertTrue(!some.kept()[i] || some.weights()[i] == p.weights()[i]);
      if (dead && some.kept()[i]) {
        smallestLeft = Math.min(smallestLeft, Math.abs(p.weights()[i]));
      } else if (dead) {
        largestGone = Math.max(largestGone, Math.abs(p.weights()[i]));
      }
    }
    assertTrue(largestGone < smallestLeft);
    Solution more = solver.of(p, Target.Blocks.single(20));
    for (int row = 0; row < 4; row++) {
      assertFalse(more.kept()[row * 10 + 2] || more.kept()[row * 10 + 7]);
    }
    Solution pairs = solver.of(p, new Target.NM(1, 2));
    for (int row = 0; row < 4; row++) {
      assertTrue(pairs.kept()[row * 10 + 3] && pairs.kept()[row * 10 + 6]);
    }
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void ofEveryMInputsNStay(Solver solver) {
    for (int[] nm : new int[][] {{2, 4, 131}, {1, 3, 131}, {3, 8, 10}, {1, 5, 3}, {2, 4, 64}}) {
      LayerProblem p = problem(5, 131, 4);
      int run = nm[2];
      Solution s =
          solver.of(p, run == 131 ? new Target.NM(nm[0], nm[1]) : new Target.NM(nm[0], nm[1], run));
      for (int row = 0; row < 5; row++) {
        int size;
        for (int from = 0; from < 131; from += size) {
          size = Math.min(nm[1], Math.min(run - from % run, 131 - from));
          int kept = 0;
          for (int i = 0; i < size; i++) {
            kept += s.kept()[row * 131 + from + i] ? 1 : 0;
          }
          assertEquals((size * nm[0] + nm[1] - 1) / nm[1], kept);
        }
      }
      assertPlusZero(s);
      assertTrue(
          error(p, s.weights()) < error(p, masked(p.weights(), s.kept())), "the update must help");
    }
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void groupsKeepTheirCountWhereWeightsArePrunedAlready(Solver solver) {
    LayerProblem p = problem(3, 16, 2);
    boolean[] kept = p.kept().clone();
    Arrays.fill(kept, 0, 3, false); // three of four: more than the pattern takes
    kept[20] = false;
    LayerProblem masked = with(p, masked(p.weights(), kept), kept);
    Solution s = solver.of(masked, new Target.NM(2, 4));
    assertEquals(1 + 11 * 2, 48 - pruned(s.kept()));
    assertFalse(s.kept()[0] || s.kept()[1] || s.kept()[2] || s.kept()[20]);
    assertTrue(s.kept()[3]);
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void blocksGoWhole(Solver solver) {
    LayerProblem p = problem(10, 50, 6);
    for (int[] block : new int[][] {{4, 1}, {1, 4}, {3, 7}, {2, 24}}) {
      int bands = Math.ceilDiv(10, block[0]);
      int groups = Math.ceilDiv(50, block[1]);
      int count = bands * groups * 7 / 10;
      Solution s = solver.of(p, new Target.Blocks(block[0], block[1], count));
      int gone = 0;
      for (int b = 0; b < bands * groups; b++) {
        gone += whole(s.kept(), block, b / groups, b % groups) ? 1 : 0;
      }
      assertEquals(count, gone);
      assertPlusZero(s);
      assertTrue(error(p, s.weights()) < error(p, masked(p.weights(), s.kept())));
    }
  }

  /** Whether a block is pruned; it must be so as a whole or not at all. */
  private static boolean whole(boolean[] kept, int[] block, int band, int group) {
    int alive = 0;
    int size = 0;
    for (int r = band * block[0]; r < Math.min(10, (band + 1) * block[0]); r++) {
      for (int c = group * block[1]; c < Math.min(50, (group + 1) * block[1]); c++) {
        size++;
        alive += kept[r * 50 + c] ? 1 : 0;
      }
    }
    assertTrue(alive == 0 || alive == size);
    return alive == 0;
  }

  @Test
  void obcsFirstBlockIsTheBestOne() {
    LayerProblem p = problem(4, 8, 13);
    Solution s = Obc.solve(p, new Target.Blocks(2, 2, 1));
    double best = Double.POSITIVE_INFINITY;
    for (int b = 0; b < 8; b++) {
      boolean[] kept = p.kept().clone();
      for (int i = 0; i < 4; i++) {
        kept[(b / 4 * 2 + i / 2) * 8 + b % 4 * 2 + i % 2] = false;
      }
      best = Math.min(best, error(p, leastSquares(p, kept)));
    }
    assertEquals(best, error(p, s.weights()), 1e-3 * best);
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void runsRepeat(Solver solver) {
    LayerProblem p = problem(20, 150, 7);
    Solution a = solver.of(p, Target.Blocks.single(2000));
    Solution b = solver.of(p, Target.Blocks.single(2000));
    assertArrayEquals(a.kept(), b.kept());
    assertArrayEquals(a.weights(), b.weights());
  }

  @ParameterizedTest
  @MethodSource("solvers")
  void inputsThatRepeatOthersNeedTheDampingRaised(Solver solver) {
    // Rank 1, and float sums that are off by rounding: not positive definite without damping.
    float[] h = new float[36];
    Arrays.fill(h, 1e6f);
    h[35] = 1e6f - 100;
    LayerProblem weak = new LayerProblem(2, weights(2, 6, 1), kept(12), new Hessian(h, 6), 1e-6);
    assertEquals(6, pruned(solver.of(weak, Target.Blocks.single(6)).kept()));
    assertTrue(weak.hessian().damped(1e-6).damping() > 1e-6);
    h[35] = 1;
    Hessian hopeless = new Hessian(h, 6);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> hopeless.damped(1e-6));
    assertTrue(e.getMessage().contains("with damping 0.001"), e.getMessage());
  }

  @Test
  void whatIsNotFiniteIsNamed() {
    float[] h = gram(3, 9, 1);
    h[5] = Float.NaN;
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Hessian(h, 3));
    assertTrue(e.getMessage().contains("inputs 1 and 2"), e.getMessage());
    float[] w = weights(2, 3, 1);
    w[4] = Float.POSITIVE_INFINITY;
    Hessian good = new Hessian(gram(3, 9, 1), 3);
    e =
        assertThrows(
            IllegalArgumentException.class, () -> new LayerProblem(2, w, kept(6), good, 0.01));
    assertTrue(e.getMessage().contains("output 1, input 1"), e.getMessage());
  }

  private static LayerProblem problem(int outputs, int inputs, int seed) {
    return problem(outputs, inputs, gram(inputs, 3 * inputs, seed), seed);
  }

  private static LayerProblem problem(int outputs, int inputs, float[] h, int seed) {
    return new LayerProblem(
        outputs,
        weights(outputs, inputs, seed + 100),
        kept(outputs * inputs),
        new Hessian(h, inputs),
        DAMPING);
  }

  private static LayerProblem with(LayerProblem p, float[] weights, boolean[] kept) {
    return new LayerProblem(p.outputs(), weights, kept, p.hessian(), p.damping());
  }

  private static boolean[] kept(int size) {
    boolean[] kept = new boolean[size];
    Arrays.fill(kept, true);
    return kept;
  }

  private static float[] weights(int outputs, int inputs, int seed) {
    Random random = new Random(seed);
    float[] w = new float[outputs * inputs];
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) random.nextGaussian();
    }
    return w;
  }

  /** X Xᵀ of correlated inputs of unequal size: a moving average over noise. */
  private static float[] gram(int inputs, int samples, int seed) {
    Random random = new Random(seed);
    double[] h = new double[inputs * inputs];
    double[] x = new double[inputs];
    for (int s = 0; s < samples; s++) {
      double state = 0;
      for (int i = 0; i < inputs; i++) {
        state = 0.8 * state + random.nextGaussian();
        x[i] = state * (1 + i % 3);
      }
      for (int i = 0; i < h.length; i++) {
        h[i] += x[i / inputs] * x[i % inputs];
      }
    }
    float[] sums = new float[h.length];
    for (int i = 0; i < h.length; i++) {
      sums[i] = (float) h[i];
    }
    return sums;
  }

  private static double error(LayerProblem p, float[] after) {
    return p.hessian().error(p.weights(), after);
  }

  private static int pruned(boolean[] kept) {
    int pruned = 0;
    for (boolean k : kept) {
      pruned += k ? 0 : 1;
    }
    return pruned;
  }

  private static void assertPlusZero(Solution s) {
    for (int i = 0; i < s.kept().length; i++) {
      assertTrue(s.kept()[i] || Float.floatToRawIntBits(s.weights()[i]) == 0);
      assertTrue(Float.isFinite(s.weights()[i]));
    }
  }

  private static float[] masked(float[] weights, boolean[] kept) {
    float[] w = weights.clone();
    for (int i = 0; i < w.length; i++) {
      w[i] = kept[i] ? w[i] : 0;
    }
    return w;
  }

  private static float[] byMagnitude(LayerProblem p, int count) {
    double[] size = new double[p.weights().length];
    for (int i = 0; i < size.length; i++) {
      size[i] = Math.abs(p.weights()[i]);
    }
    double[] sorted = size.clone();
    Arrays.sort(sorted);
    boolean[] kept = new boolean[size.length];
    for (int i = 0; i < size.length; i++) {
      kept[i] = size[i] > sorted[count - 1];
    }
    return masked(p.weights(), kept);
  }

  /** The error of the best of all masks of one row that prune {@code count}. */
  private static double exhaustive(LayerProblem p, int count) {
    double best = Double.POSITIVE_INFINITY;
    for (int bits = 0; bits < 1 << p.inputs(); bits++) {
      if (Integer.bitCount(bits) == p.inputs() - count) {
        boolean[] kept = new boolean[p.inputs()];
        for (int i = 0; i < kept.length; i++) {
          kept[i] = (bits >> i & 1) != 0;
        }
        best = Math.min(best, error(p, leastSquares(p, kept)));
      }
    }
    return best;
  }

  /** Row by row H_KK x = H_K: w, by Gaussian elimination with pivoting. */
  private static float[] leastSquares(LayerProblem p, boolean[] kept) {
    int n = p.inputs();
    double[] h = p.hessian().damped(p.damping()).h();
    float[] best = new float[kept.length];
    for (int row = 0; row < p.outputs(); row++) {
      int base = row * n;
      double[][] system = new double[n][n + 1];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          boolean both = kept[base + i] && kept[base + j];
          system[i][j] = both ? h[i * n + j] : i == j ? 1 : 0;
          system[i][n] += kept[base + i] ? h[i * n + j] * p.weights()[base + j] : 0;
        }
      }
      double[] x = eliminate(system);
      for (int i = 0; i < n; i++) {
        best[base + i] = kept[base + i] ? (float) x[i] : 0;
      }
    }
    return best;
  }

  private static double[] eliminate(double[][] a) {
    int n = a.length;
    for (int c = 0; c < n; c++) {
      int pivot = c;
      for (int r = c; r < n; r++) {
        pivot = Math.abs(a[r][c]) > Math.abs(a[pivot][c]) ? r : pivot;
      }
      double[] swap = a[c];
      a[c] = a[pivot];
      a[pivot] = swap;
      for (int r = 0; r < n; r++) {
        double factor = r == c ? 0 : a[r][c] / a[c][c];
        for (int j = c; factor != 0 && j <= n; j++) {
          a[r][j] -= factor * a[c][j];
        }
      }
    }
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = a[i][n] / a[i][i];
    }
    return x;
  }
}
