package io.github.secateur.prune;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Searches an order of units in which N:M groups keep more magnitude (Pool &amp; Yu 2021, "Channel
 * permutations for N:M sparsity", section 4: greedy swaps between groups, and escapes from local
 * optima by random swaps). A swap is taken at once when the weights of both groups together keep
 * more; pairs are tried in an order drawn from the seed. Work is counted, not timed, so that the
 * result depends on the seed alone; it is never worse than the order as it was.
 *
 * <p>A trial costs M · n comparisons for each line of the weights in two groups.
 */
final class PermutationSearch {
  /** Lines of a group that are looked at before the search ends: about a second. */
  private static final long WORK = 1L << 25;

  private static final int ESCAPES = 8;

  /**
   * A weight whose groups run along the units.
   *
   * @param magnitudes [positions, lines]
   * @param positions extent of the axis that groups run along
   * @param offset first position of unit 0
   * @param expansion adjacent positions of a unit
   */
  record Target(float[] magnitudes, int positions, int offset, int expansion) {
    int lines() {
      return magnitudes.length / positions;
    }
  }

  private final List<Target> targets;
  private final int units;
  private final int n;
  private final int m;
  private final SplittableRandom random;
  private final int[] order;
  private final double[][] kept; // by target and group, in this order
  private final float[] best;
  private final int[] starts;
  private long work;

  PermutationSearch(List<Target> targets, int units, Pattern.NM pattern, long seed) {
    this.targets = List.copyOf(targets);
    this.units = units;
    this.n = pattern.n();
    this.m = pattern.m();
    this.random = new SplittableRandom(seed);
    this.order = new int[units];
    Arrays.setAll(order, i -> i);
    this.kept = new double[targets.size()][];
    this.best = new float[m];
    this.starts = new int[m];
    evaluate();
  }

  /** Magnitude that the weights keep in the order as it is. */
  double retained() {
    double sum = 0;
    for (double[] groups : kept) {
      for (double group : groups) {
        sum += group;
      }
    }
    return sum;
  }

  /**
   * The share of each line that its groups keep, taken of the largest weights of the whole line: no
   * order keeps more.
   */
  double bound() {
    double sum = 0;
    for (Target target : targets) {
      int rest = target.positions % m;
      int count = target.positions / m * n + Math.ceilDiv(rest * n, m);
      float[] line = new float[target.positions];
      for (int l = 0; l < target.lines(); l++) {
        for (int p = 0; p < line.length; p++) {
          line[p] = target.magnitudes[p * target.lines() + l];
        }
        Arrays.sort(line);
        for (int i = line.length - count; i < line.length; i++) {
          sum += line[i];
        }
      }
    }
    return sum;
  }

  /**
   * The order found: at place j comes what was unit {@code order[j]}. The same as before, 0, 1, 2
   * ..., unless it keeps more.
   */
  int[] search() {
    int[] identity = order.clone();
    double before = retained();
    improve();
    int[] found = order.clone();
    double most = retained();
    for (int escape = 0; escape < ESCAPES && work < WORK && units > m; escape++) {
      for (int i = 0; i < 2 + units / 16; i++) {
        swap(random.nextInt(units), random.nextInt(units));
      }
      evaluate();
      improve();
      if (retained() > most) {
        most = retained();
        System.arraycopy(order, 0, found, 0, units);
      } else {
        System.arraycopy(found, 0, order, 0, units);
        evaluate();
      }
    }
    System.arraycopy(found, 0, order, 0, units);
    evaluate();
    if (!(retained() > before)) {
      System.arraycopy(identity, 0, order, 0, units);
      evaluate();
    }
    return order.clone();
  }

  /** Takes swaps that keep more until no pair does or the work is done. */
  private void improve() {
    int[] places = new int[units];
    Arrays.setAll(places, i -> i);
    for (int i = units - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int place = places[i];
      places[i] = places[j];
      places[j] = place;
    }
    for (boolean better = true; better && work < WORK; ) {
      better = false;
      for (int i = 0; i < units; i++) {
        for (int j = i + 1; j < units && work < WORK; j++) {
          better |= tryToSwap(places[i], places[j]);
        }
      }
    }
  }

  private boolean tryToSwap(int a, int b) {
    swap(a, b);
    double gain = 0;
    double size = 0;
    for (int t = 0; t < kept.length; t++) {
      if (apart(targets.get(t), a, b)) {
        for (int g : groups(targets.get(t), a, b)) {
          gain += retained(targets.get(t), g) - kept[t][g];
          size += kept[t][g];
        }
      }
    }
    if (!(gain > 1e-9 * size)) {
      swap(a, b);
      return false;
    }
    for (int t = 0; t < kept.length; t++) {
      for (int g : groups(targets.get(t), a, b)) {
        kept[t][g] = retained(targets.get(t), g);
      }
    }
    return true;
  }

  private void swap(int a, int b) {
    int unit = order[a];
    order[a] = order[b];
    order[b] = unit;
  }

  /** Whether two places are of different groups; where units fill whole groups no swap matters. */
  private boolean apart(Target t, int a, int b) {
    if (t.expansion % m == 0 && t.offset % m == 0) {
      return false;
    }
    return t.expansion > 1 || (t.offset + a) / m != (t.offset + b) / m;
  }

  /** The groups that units at two places have a part in. */
  private int[] groups(Target t, int a, int b) {
    int firstA = (t.offset + a * t.expansion) / m;
    int lastA = (t.offset + (a + 1) * t.expansion - 1) / m;
    int firstB = (t.offset + b * t.expansion) / m;
    int lastB = (t.offset + (b + 1) * t.expansion - 1) / m;
    int[] groups = new int[lastA - firstA + 1 + lastB - firstB + 1];
    int count = 0;
    for (int g = firstA; g <= lastA; g++) {
      groups[count++] = g;
    }
    for (int g = firstB; g <= lastB; g++) {
      if (g < firstA || g > lastA) {
        groups[count++] = g;
      }
    }
    return Arrays.copyOf(groups, count);
  }

  private void evaluate() {
    for (int t = 0; t < kept.length; t++) {
      Target target = targets.get(t);
      kept[t] = new double[Math.ceilDiv(target.positions, m)];
      for (int g = 0; g < kept[t].length; g++) {
        kept[t][g] = retained(target, g);
      }
    }
  }

  /** What the lines of a group keep: of each the largest. */
  private double retained(Target target, int group) {
    int first = group * m;
    int r = Math.min(m, target.positions - first);
    int keep = Math.ceilDiv(r * n, m);
    int lines = target.lines();
    for (int i = 0; i < r; i++) {
      starts[i] = before(target, first + i) * lines;
    }
    double sum = 0;
    for (int line = 0; line < lines; line++) {
      Arrays.fill(best, 0, keep, 0);
      for (int i = 0; i < r; i++) {
        float value = target.magnitudes[starts[i] + line];
        for (int k = 0; k < keep && value > 0; k++) {
          float larger = Math.max(best[k], value);
          value = Math.min(best[k], value);
          best[k] = larger;
        }
      }
      for (int k = 0; k < keep; k++) {
        sum += best[k];
      }
    }
    work += lines;
    return sum;
  }

  /** Where the weights that the order puts at a position were before. */
  private int before(Target target, int position) {
    int at = position - target.offset;
    if (at < 0 || at >= units * target.expansion) {
      return position;
    }
    return target.offset + order[at / target.expansion] * target.expansion + at % target.expansion;
  }
}
