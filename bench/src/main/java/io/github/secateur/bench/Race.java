package io.github.secateur.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times several libraries at the same work: in each round every side runs one block, so that drifts
 * of the machine meet all of them. After a block it waits until that side's threads sleep.
 *
 * @param rounds blocks of each side
 * @param seconds of one block
 */
record Race(int rounds, double seconds) {
  /** Checks the ranges. */
  Race {
    if (rounds < 1 || !(seconds >= 0)) {
      throw new IllegalArgumentException(
          "a race needs 1 or more rounds of 0 or more seconds, got " + rounds + " of " + seconds);
    }
  }

  /** Times by name, in the order of the contestants. */
  Map<String, Times> run(List<? extends Contestant> contestants) throws IOException {
    Map<String, List<double[]>> samples = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Contestant c : contestants) {
        samples.computeIfAbsent(c.name(), n -> new ArrayList<>()).add(c.block(seconds));
        settle(c.settleMillis());
      }
    }
    Map<String, Times> times = new LinkedHashMap<>();
    samples.forEach((name, rounds) -> times.put(name, Times.of(rounds)));
    return times;
  }

  private static void settle(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while timing", e);
    }
  }
}
