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
      case Schedule.Polynomial p -> end(p.end(), totalSteps);
      case Schedule.Exponential e -> end(e.end(), totalSteps);
      case Schedule.Cosine c -> end(c.end(), totalSteps);
      case Schedule.Cyclic _ -> throw Unbuilt.error();
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
      case Schedule.Cyclic _ -> throw Unbuilt.error();
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
      case Schedule.Cyclic _ -> throw Unbuilt.error();
      case Schedule.Iterative i -> {
        int round = 0;
        while (step >= roundStart(i, round + 1, totalSteps)) {
          round++;
        }
        yield 1 - StrictMath.pow(1 - target, (double) round / i.rounds());
      }
    };
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
