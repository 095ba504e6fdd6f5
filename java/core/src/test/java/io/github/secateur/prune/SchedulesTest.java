package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Schedules against tables worked out by hand. */
class SchedulesTest {
  @Test
  void oneShotPrunesBeforeTheFirstStep() {
    Schedule schedule = new Schedule.OneShot();
    assertArrayEquals(new long[] {0}, pruningSteps(schedule, 10));
    assertEquals(0.9, Schedules.sparsityAt(schedule, 0.9, 0, 10));
  }

  @Test
  void polynomialFollowsZhuAndGupta() {
    // 100 steps, from 10 to 50, cubic: s = 0.8 (1 − (1 − t)³), t = 0, ¼, ½, ¾, 1.
    Schedule schedule = new Schedule.Polynomial(0.1, 0.5, 3, 10);
    assertArrayEquals(new long[] {10, 20, 30, 40, 50}, pruningSteps(schedule, 100));
    double[] expected = {0, 0.4625, 0.7, 0.7875, 0.8};
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], Schedules.sparsityAt(schedule, 0.8, 10 + 10 * i, 100), 1e-12);
    }
    assertEquals(0, Schedules.sparsityAt(schedule, 0.8, 9, 100));
    assertEquals(0.8, Schedules.sparsityAt(schedule, 0.8, 99, 100));
  }

  @Test
  void aPolynomialThatEndsWithTheRunEndsAtItsLastStep() {
    Schedule schedule = new Schedule.Polynomial(0, 1, 1, 4);
    assertArrayEquals(new long[] {0, 4, 8, 9}, pruningSteps(schedule, 10));
    assertEquals(0.5, Schedules.sparsityAt(schedule, 0.5, 9, 10));
  }

  @Test
  void iterativeKeepsTheSameFractionARound() {
    // (1 − 0.936)^(1/3) = 0.4: kept 0.4, 0.16, 0.064.
    Schedule schedule = new Schedule.Iterative(3);
    assertArrayEquals(new long[] {0, 3, 6}, pruningSteps(schedule, 10));
    assertEquals(0.6, Schedules.sparsityAt(schedule, 0.936, 0, 10), 1e-12);
    assertEquals(0.84, Schedules.sparsityAt(schedule, 0.936, 3, 10), 1e-12);
    assertEquals(0.84, Schedules.sparsityAt(schedule, 0.936, 5, 10), 1e-12);
    assertEquals(0.936, Schedules.sparsityAt(schedule, 0.936, 6, 10));
  }

  @Test
  void cyclesRiseAnewAndEndExactly() {
    // Cycles of 50 steps, each cubic over its first 40: s = 0.8 (1 − (1 − t)³), t = 0, ½, 1.
    Schedule schedule = new Schedule.Cyclic(2, 20);
    assertArrayEquals(new long[] {0, 20, 40, 50, 70, 90}, pruningSteps(schedule, 100));
    double[] expected = {0, 0.7, 0.8, 0, 0.7, 0.8};
    long[] steps = {0, 20, 40, 50, 70, 90};
    for (int i = 0; i < steps.length; i++) {
      assertEquals(expected[i], Schedules.sparsityAt(schedule, 0.8, steps[i], 100), 1e-12);
    }
    assertEquals(0.8, Schedules.sparsityAt(schedule, 0.8, 49, 100));
    assertEquals(0.8, Schedules.sparsityAt(schedule, 0.8, 99, 100));
    assertEquals(90, Schedules.lastPruning(schedule, 100));
    assertArrayEquals(
        new long[] {50},
        LongStream.range(0, 100).filter(s -> Schedules.regrowsAt(schedule, s, 100)).toArray());
  }

  @Test
  void moreCyclesThanStepsStillEndAtTheTarget() {
    Schedule schedule = new Schedule.Cyclic(7, 5);
    for (int total = 1; total < 30; total++) {
      long last = Schedules.lastPruning(schedule, total);
      assertTrue(last < total && Schedules.prunesAt(schedule, last, total), "of " + total);
      for (long step = last + 1; step < total; step++) {
        assertTrue(!Schedules.regrowsAt(schedule, step, total), "of " + total);
      }
      assertEquals(0.5, Schedules.sparsityAt(schedule, 0.5, last, total));
      assertEquals(0.5, Schedules.sparsityAt(schedule, 0.5, total - 1, total));
    }
  }

  @Test
  void moreRoundsThanStepsStillEndAtTheTarget() {
    Schedule schedule = new Schedule.Iterative(7);
    long last = Schedules.lastPruning(schedule, 2);
    assertTrue(last < 2);
    assertEquals(0.5, Schedules.sparsityAt(schedule, 0.5, last, 2));
  }

  @Test
  void polynomialsNeverFallAndEndExactly() {
    Random random = new Random(1);
    for (int t = 0; t < 1000; t++) {
      int steps = t < 20 ? t + 1 : 1 + random.nextInt(500);
      polynomialNeverFallsAndEndsExactly(
          t % 10 == 0 ? 1 : random.nextDouble(),
          new Schedule.Polynomial(
              0.9 * random.nextDouble(),
              1,
              0.5 + 3.5 * random.nextDouble(),
              1 + random.nextInt(60)),
          steps);
    }
  }

  private static void polynomialNeverFallsAndEndsExactly(
      double target, Schedule.Polynomial schedule, int steps) {
    double before = 0;
    for (long step = 0; step < steps; step++) {
      double now = Schedules.sparsityAt(schedule, target, step, steps);
      assertTrue(
          now >= before && now <= target,
          "%s to %s, step %d: %s then %s".formatted(schedule, target, step, before, now));
      before = now;
    }
    assertTrue(Schedules.prunesAt(schedule, Schedules.lastPruning(schedule, steps), steps));
    assertEquals(target, before);
  }

  private static long[] pruningSteps(Schedule schedule, long total) {
    return LongStream.range(0, total).filter(s -> Schedules.prunesAt(schedule, s, total)).toArray();
  }
}
