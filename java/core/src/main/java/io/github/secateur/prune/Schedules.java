package io.github.secateur.prune;

/**
 * The arithmetic of {@link Schedule}s: at which steps to prune, and how much, and when to regrow.
 */
final class Schedules {
  private Schedules() {}

  /**
   * The step from which on the final sparsity holds; always a step of the run, so that a run ends
   * with exactly what was asked for.
   */
  static long lastPruning(Schedule schedule, long totalSteps) {
    return switch (schedule) {
      case Schedule.OneShot() -> 0;
      case Schedule.Polynomial p -> end(p.end(), totalSteps);
      case Schedule.Exponential e -> end(e.end(), totalSteps);
      case Schedule.Cosine c -> end(c.end(), totalSteps);
      case Schedule.Cyclic c -> {
        Cycle last = Cycle.at(c, last(totalSteps), totalSteps);
        yield last.start() + lastPruning(last.rise(c), last.steps());
      }
      case Schedule.Iterative i -> roundStart(i, i.rounds(), totalSteps);
    };
  }

  /** Whether a pruning step comes before training step {@code step} of {@code totalSteps}. */
  static boolean prunesAt(Schedule schedule, long step, long totalSteps) {
    long end = lastPruning(schedule, totalSteps);
    return switch (schedule) {
      case Schedule.OneShot() -> step == 0;
      case Schedule.Polynomial p -> inSpan(p.begin(), p.every(), step, end, totalSteps);
      case Schedule.Exponential e -> inSpan(e.begin(), e.every(), step, end, totalSteps);
      case Schedule.Cosine c -> inSpan(c.begin(), c.every(), step, end, totalSteps);
      case Schedule.Cyclic c -> {
        Cycle cycle = Cycle.at(c, step, totalSteps);
        yield prunesAt(cycle.rise(c), step - cycle.start(), cycle.steps());
      }
      case Schedule.Iterative i -> {
        boolean starts = false;
        for (int round = 1; round <= i.rounds(); round++) {
          starts |= step == roundStart(i, round, totalSteps);
        }
        yield starts;
      }
    };
  }

  /**
   * Whether masks are lifted before training step {@code step}, ahead of a pruning step: at the
   * start of every cycle but the first.
   */
  static boolean regrowsAt(Schedule schedule, long step, long totalSteps) {
    return switch (schedule) {
      case Schedule.OneShot _,
          Schedule.Polynomial _,
          Schedule.Exponential _,
          Schedule.Cosine _,
          Schedule.Iterative _ ->
          false;
      case Schedule.Cyclic c -> step > 0 && Cycle.at(c, step, totalSteps).start() == step;
    };
  }

  /**
   * Sparsity that holds from step {@code step} on, on the way to {@code target}.
   *
   * @return 0 .. target, never falling with the step within a cycle, exactly {@code target} from
   *     {@link #lastPruning} on
   */
  static double sparsityAt(Schedule schedule, double target, long step, long totalSteps) {
    if (step >= lastPruning(schedule, totalSteps)) {
      return target;
    }
    return switch (schedule) {
      case Schedule.OneShot() -> 0;
      case Schedule.Polynomial p -> {
        double gone = gone(p.begin(), step, lastPruning(p, totalSteps), totalSteps);
        yield target * (1 - StrictMath.pow(1 - gone, p.power()));
      }
      case Schedule.Exponential e ->
          1
              - StrictMath.pow(
                  1 - target, gone(e.begin(), step, lastPruning(e, totalSteps), totalSteps));
      case Schedule.Cosine c -> {
        double gone = gone(c.begin(), step, lastPruning(c, totalSteps), totalSteps);
        yield target * (1 - StrictMath.cos(Math.PI * gone)) / 2;
      }
      case Schedule.Cyclic c -> {
        Cycle cycle = Cycle.at(c, step, totalSteps);
        yield sparsityAt(cycle.rise(c), target, step - cycle.start(), cycle.steps());
      }
      case Schedule.Iterative i -> {
        int round = 0;
        while (step >= roundStart(i, round + 1, totalSteps)) {
          round++;
        }
        yield 1 - StrictMath.pow(1 - target, (double) round / i.rounds());
      }
    };
  }

  /**
   * One cycle of a cyclic schedule: steps {@code start} to {@code start + steps − 1} of the run.
   * Cycle c of n starts at step ⌊c · total / n⌋; of cycles that start together only the last has
   * steps.
   */
  private record Cycle(long start, long steps) {
    private static final double RISING = 0.8;

    /** The cycle that a step belongs to. */
    static Cycle at(Schedule.Cyclic c, long step, long totalSteps) {
      int index = c.cycles() - 1;
      while (start(c, index, totalSteps) > step) {
        index--;
      }
      long start = start(c, index, totalSteps);
      return new Cycle(start, start(c, index + 1, totalSteps) - start);
    }

    private static long start(Schedule.Cyclic c, int index, long totalSteps) {
      return totalSteps * index / c.cycles();
    }

    /** How the sparsity rises in it, in its own steps. */
    Schedule.Polynomial rise(Schedule.Cyclic c) {
      return new Schedule.Polynomial(0, RISING, 3, c.every());
    }
  }

  private static boolean inSpan(double begin, int every, long step, long end, long totalSteps) {
    long first = begin(begin, totalSteps);
    return step == end || (step >= first && step < end && (step - first) % every == 0);
  }

  /** Share of the way from begin to end that lies behind, 0..1. */
  private static double gone(double begin, long step, long end, long totalSteps) {
    long first = begin(begin, totalSteps);
    return step < first ? 0 : (double) (step - first) / (end - first);
  }

  private static long begin(double begin, long totalSteps) {
    return Math.min(Math.round(begin * totalSteps), last(totalSteps));
  }

  private static long end(double end, long totalSteps) {
    return Math.clamp(Math.round(end * totalSteps), 0, last(totalSteps));
  }

  private static long roundStart(Schedule.Iterative i, int round, long totalSteps) {
    return totalSteps * (round - 1) / i.rounds();
  }

  private static long last(long totalSteps) {
    return Math.max(0, totalSteps - 1);
  }
}
