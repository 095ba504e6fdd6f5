package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is sampled how often, with times that a table gives. */
class StopwatchTest {
  private final List<String> samples = new ArrayList<>();

  private List<Spread> run(boolean knockout, int repeats, double sampleMicros, double... times) {
    samples.clear();
    return Stopwatch.run(
        (competitor, runs) -> {
          samples.add(competitor + "x" + runs);
          return times[competitor];
        },
        times.length,
        new Stopwatch.Options(repeats, sampleMicros),
        knockout);
  }

  private static int[] repeats(List<Spread> spreads) {
    return spreads.stream().mapToInt(Spread::repeats).toArray();
  }

  @Test
  void aRaceIsInterleavedAndSamplesLastLongEnough() {
    List<Spread> spreads = run(false, 2, 100, 10, 30);
    assertEquals(
        List.of("0x1", "0x3", "0x10", "1x1", "1x3", "1x4", "0x10", "1x4", "0x10", "1x4"), samples);
    assertEquals(List.of(new Spread(10, 10, 10, 2), new Spread(30, 30, 30, 2)), spreads);
  }

  @Test
  void longWorkIsTriedOnce() {
    run(false, 1, 100, 2000, 1999);
    assertEquals(List.of("0x1", "1x1", "1x3", "1x1", "0x1", "1x1"), samples);
  }

  @Test
  void inAKnockoutTheSlowStopEarly() {
    assertArrayEquals(new int[] {15, 15, 2, 5, 15}, repeats(run(true, 15, 0, 10, 8, 17, 11, 9)));
    assertArrayEquals(new int[] {15, 15, 15}, repeats(run(false, 15, 0, 10, 1, 100)));
  }

  @Test
  void whoIsToBeBeatenGoesOn() {
    assertArrayEquals(new int[] {15, 15, 2}, repeats(run(true, 15, 0, 100, 1, 3)));
  }

  @Test
  void longSamplesEndAKnockoutAfterTheHeats() {
    assertArrayEquals(new int[] {5, 5}, repeats(run(true, 15, 0, 300_000, 290_000)));
    assertArrayEquals(new int[] {3, 3}, repeats(run(true, 3, 0, 3e6, 2.9e6)));
  }
}
