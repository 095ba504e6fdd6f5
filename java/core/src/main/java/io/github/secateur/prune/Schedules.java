package io.github.secateur.prune;

/** The arithmetic of {@link Schedule}s: at which steps to prune, and how much. */
final class Schedules {
  private Schedules() {}

  /**
   * The step from which on the final sparsity holds; always a step of the run, so that a run ends
   * with exactly what was asked for.
   */
  static long lastPruning(Schedule schedule, long totalSteps) {
    return switch (schedule) {
      case Schedule.OneShot() -> 0;
      case Schedule.Polynomial p ->
          Math.clamp(Math.round(p.end() * totalSteps), 0, last(totalSteps));
      case Schedule.Iterative i -> roundStart(i, i.rounds(), totalSteps);
    };
  }

  /** Whether a pruning step comes before training step {@code step} of {@code totalSteps}. */
  static boolean prunesAt(Schedule schedule, long step, long totalSteps) {
    long end = lastPruning(schedule, totalSteps);
    return switch (schedule) {
      case Schedule.OneShot() -> step == 0;
      case Schedule.Polynomial p -> {
        long begin = begin(p, totalSteps);
        yield step == end || (step >= begin && step < end && (step - begin) % p.every() == 0);
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
   * Sparsity that holds from step {@code step} on, on the way to {@code target}.
   *
   * @return 0 .. target, never falling with the step, exactly {@code target} from {@link
   *     #lastPruning} on
   */
  static double sparsityAt(Schedule schedule, double target, long step, long totalSteps) {
    if (step >= lastPruning(schedule, totalSteps)) {
      return target;
    }
    return switch (schedule) {
      case Schedule.OneShot() -> 0;
      case Schedule.Polynomial p -> {
        long begin = begin(p, totalSteps);
        if (step < begin) {
          yield 0;
        }
        double left = 1 - (double) (step - begin) / (lastPruning(p, totalSteps) - begin);
        yield target * (1 - StrictMath.pow(left, p.power()));
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

  private static long begin(Schedule.Polynomial p, long totalSteps) {
    return Math.min(Math.round(p.begin() * totalSteps), last(totalSteps));
  }

  private static long roundStart(Schedule.Iterative i, int round, long totalSteps) {
    return totalSteps * (round - 1) / i.rounds();
  }

  private static long last(long totalSteps) {
    return Math.max(0, totalSteps - 1);
  }
}
