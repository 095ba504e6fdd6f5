package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Counter-based uniform numbers and dropout. */
public interface RandomContract extends Contract {
  private float[] draw(long seed, long counter, long salt, int n) {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor out = f.out(n);
      device().nn().uniform(f.state(seed, counter), salt, out);
      return f.read(out);
    }
  }

  @Test
  default void drawsThePublishedPhiloxNumbers() {
    // Random123's known answer for counter 0 and key 0; also checks the oracle.
    int[] known = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    assertArrayEquals(known, Philox.block(new int[4], 0, 0));
    float[] drawn = draw(0, 0, 0, 4);
    for (int i = 0; i < 4; i++) {
      assertEquals(((known[i] >>> 8) + 0.5) * 0x1p-24, drawn[i], 0x1p-24);
    }
  }

  @Test
  default void drawsByElementAlone() {
    long[][] draws = {
      {1, 0, 0}, {42, 7, 3}, {-1L, 1L << 40, -5}, {0x123456789abcdefL, 99, 1L << 33}
    };
    for (long[] d : draws) {
      for (int n : SIZES) {
        double[] expected = new double[n];
        for (int i = 0; i < n; i++) {
          expected[i] = Philox.uniform(d[0], d[1], d[2], i);
        }
        // Half a unit in the last of 24 places: the half step does not fit above 1/2.
        Numbers.assertClose("uniform " + n, expected, draw(d[0], d[1], d[2], n), 0, 0x1p-25);
      }
    }
  }

  @Test
  default void drawsInsideTheOpenIntervalWithTheRightMoments() {
    int n = 1_000_000;
    float[] u = draw(5, 6, 7, n);
    double mean = 0;
    double square = 0;
    for (float v : u) {
      assertTrue(v > 0 && v < 1);
      mean += v / n;
      square += (double) v * v / n;
    }
    // Standard deviations of both: 0.29 and 0.30 over 1000.
    assertEquals(0.5, mean, 6 * 0.00029);
    assertEquals(1.0 / 3, square, 6 * 0.0003);
    assertFalse(Arrays.equals(u, draw(5, 6, 8, n)), "another salt");
    assertFalse(Arrays.equals(u, draw(5, 7, 7, n)), "another counter");
    assertFalse(Arrays.equals(u, draw(6, 6, 7, n)), "another seed");
  }

  @Test
  default void dropsWhereTheUniformIsBelowTheRatio() {
    for (float ratio : new float[] {0, 0.1f, 0.5f, 0.9f}) {
      for (int n : SIZES) {
        float[] x = Numbers.gaussian(n, 1);
        float[] u = draw(3, 4, 5, n);
        double[] expected = new double[n];
        for (int i = 0; i < n; i++) {
          expected[i] = u[i] < ratio ? 0 : x[i] / (1.0 - ratio);
        }
        try (Fixture f = new Fixture(device())) {
          DeviceTensor y = f.out(n);
          device().nn().dropout(f.state(3, 4), 5, ratio, f.in(x), y);
          Numbers.assertClose("dropout " + ratio, expected, f.read(y), 3e-7, 0);
          DeviceTensor inPlace = f.inOut(x);
          device().nn().dropout(f.state(3, 4), 5, ratio, inPlace, inPlace);
          Numbers.assertBits("in place", f.read(y), f.read(inPlace));
        }
      }
    }
  }

  @Test
  default void refusesRatiosOutsideTheRangeAndWrongState() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(1, 2);
      for (float ratio : new float[] {1, -0.1f, Float.NaN}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> device().nn().dropout(f.state(1, 2), 0, ratio, x, f.out(2)));
      }
      assertThrows(IllegalArgumentException.class, () -> device().nn().uniform(x, 0, f.out(2)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().uniform(f.doubles(2).view(Shape.of(2)), 0, f.out(2)));
    }
  }
}
