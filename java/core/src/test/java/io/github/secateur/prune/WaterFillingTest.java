package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Shares against numbers by hand and against the definition. */
class WaterFillingTest {
  @Test
  void sharesAreProportionalAndRoundedByLargestRemainder() {
    assertArrayEquals(new long[] {2, 4, 6}, fill("1 2 3", "0 0 0", "9 9 9", 12));
    assertArrayEquals(new long[] {2, 4, 7}, fill("1 2 3", "0 0 0", "9 9 9", 13)); // 2.17 4.33 6.5
    assertArrayEquals(new long[] {1, 1, 0}, fill("1 1 1", "0 0 0", "9 9 9", 2)); // ties: earlier
  }

  @Test
  void whatABoundTakesTheOthersGetInProportion() {
    assertArrayEquals(new long[] {1, 4, 8}, fill("4 1 2", "0 0 0", "1 9 9", 13));
    assertArrayEquals(new long[] {5, 1, 2}, fill("1 1 2", "5 0 0", "9 9 9", 8));
    assertArrayEquals(new long[] {3, 3, 3}, fill("1 5 9", "0 0 0", "3 3 3", 9));
    assertArrayEquals(new long[] {0, 0, 0}, fill("1 5 9", "0 0 0", "3 3 3", 0));
  }

  @Test
  void aTotalOutsideTheBoundsIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> fill("1 1", "0 0", "3 3", 7));
    assertThrows(IllegalArgumentException.class, () -> fill("1 1", "2 2", "3 3", 3));
  }

  @Test
  void anyBoundsAreMetAndNoShareIsOffByOneOrMore() {
    SplittableRandom random = new SplittableRandom(1);
    for (int run = 0; run < 2000; run++) {
      int n = 1 + random.nextInt(7);
      double[] rate = new double[n];
      long[] low = new long[n];
      long[] high = new long[n];
      for (int i = 0; i < n; i++) {
        rate[i] = 0.01 + random.nextDouble() * 100;
        low[i] = random.nextInt(50);
        high[i] = low[i] + random.nextInt(100);
      }
      long least = Arrays.stream(low).sum();
      long total = least + random.nextLong(Arrays.stream(high).sum() - least + 1);
      long[] got = WaterFilling.fill(rate, low, high, total);
      assertEquals(total, Arrays.stream(got).sum());
      // One t explains all numbers, each rounded up or down.
      double from = 0;
      double to = Double.POSITIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        assertTrue(got[i] >= low[i] && got[i] <= high[i]);
        from = Math.max(from, got[i] > low[i] ? (got[i] - 1) / rate[i] : 0);
        to = Math.min(to, got[i] < high[i] ? (got[i] + 1) / rate[i] : to);
      }
      assertTrue(from <= to * (1 + 1e-12), "no level between " + from + " and " + to);
    }
  }

  private static long[] fill(String rates, String low, String high, long total) {
    double[] rate = Arrays.stream(rates.split(" ")).mapToDouble(Double::parseDouble).toArray();
    return WaterFilling.fill(rate, longs(low), longs(high), total);
  }

  private static long[] longs(String text) {
    return Arrays.stream(text.split(" ")).mapToLong(Long::parseLong).toArray();
  }
}
