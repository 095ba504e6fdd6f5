package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
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
  void moreRoundsThanStepsStillEndAtTheTarget() {
    Schedule schedule = new Schedule.Iterative(7);
    long last = Schedules.lastPruning(schedule, 2);
    assertTrue(last < 2);
    assertEquals(0.5, Schedules.sparsityAt(schedule, 0.5, last, 2));
  }

  @Property
  void polynomialsNeverFallAndEndExactly(
      @ForAll @DoubleRange(min = 0, max = 1) double target,
      @ForAll @DoubleRange(min = 0, max = 0.9) double begin,
      @ForAll @DoubleRange(min = 0.5, max = 4) double power,
      @ForAll @IntRange(min = 1, max = 500) int steps,
      @ForAll @IntRange(min = 1, max = 60) int every) {
    Schedule schedule = new Schedule.Polynomial(begin, 1, power, every);
    double before = 0;
    for (long step = 0; step < steps; step++) {
      double now = Schedules.sparsityAt(schedule, target, step, steps);
      assertTrue(now >= before && now <= target, step + ": " + before + " then " + now);
      before = now;
    }
    assertTrue(Schedules.prunesAt(schedule, Schedules.lastPruning(schedule, steps), steps));
    assertEquals(target, before);
  }

  private static long[] pruningSteps(Schedule schedule, long total) {
    return LongStream.range(0, total).filter(s -> Schedules.prunesAt(schedule, s, total)).toArray();
  }
}
