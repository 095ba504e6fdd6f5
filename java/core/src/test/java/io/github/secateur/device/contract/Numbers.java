package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Inputs with a name, and comparisons. */
final class Numbers {
  private Numbers() {}

  static float[] gaussian(int n, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static float[] constant(int n, float value) {
    float[] values = new float[n];
    Arrays.fill(values, value);
    return values;
  }

  /** Finite inputs: random, all equal, zeros of both signs, denormals, large and small. */
  static Map<String, float[]> finite(int n) {
    Map<String, float[]> cases = new LinkedHashMap<>();
    float[] gaussian = gaussian(n, n + 1);
    cases.put("gaussian", gaussian);
    cases.put("all equal", constant(n, 0.75f));
    cases.put("zeros", constant(n, 0f));
    cases.put("negative zeros", constant(n, -0f));
    float[] denormal = new float[n];
    float[] scaled = new float[n];
    for (int i = 0; i < n; i++) {
      denormal[i] = Float.intBitsToFloat(i % 1000 + 1) * (i % 2 == 0 ? 1 : -1);
      scaled[i] = gaussian[i] * (i % 3 == 0 ? 15f : i % 3 == 1 ? 1e-3f : 1e-20f);
    }
    cases.put("denormals", denormal);
    cases.put("scaled", scaled);
    return cases;
  }

  /** {@link #finite} and inputs with infinities and NaN in places. */
  static Map<String, float[]> all(int n) {
    Map<String, float[]> cases = finite(n);
    float[] special = gaussian(n, n + 2);
    for (int i = 0; i < n; i += 5) {
      special[i] =
          switch (i / 5 % 3) {
            case 0 -> Float.POSITIVE_INFINITY;
            case 1 -> Float.NEGATIVE_INFINITY;
            default -> Float.NaN;
          };
    }
    cases.put("infinities and NaN", special);
    return cases;
  }

  /** Error of the one order of summation over n terms, relative to the sum of magnitudes. */
  static double sumError(long n) {
    int levels = n <= 4096 ? 1 : n <= 4096L * 4096 ? 2 : 3;
    return levels * (Math.min(n, 4096) / 32.0 + 6) * 0x1p-24;
  }

  static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /** |actual − expected| ≤ relative · |expected| + absolute; NaN for NaN; infinities equal. */
  static void assertClose(
      String what, double[] expected, float[] actual, double relative, double absolute) {
    assertEquals(expected.length, actual.length, what + ": length");
    for (int i = 0; i < actual.length; i++) {
      if (!close(expected[i], actual[i], relative, absolute)) {
        fail("%s: element %d is %s, wanted %s".formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  static void assertClose(
      String what, double expected, float actual, double relative, double absolute) {
    assertClose(what, new double[] {expected}, new float[] {actual}, relative, absolute);
  }

  private static boolean close(double expected, float actual, double relative, double absolute) {
    if (Double.isNaN(expected)) {
      return Float.isNaN(actual);
    }
    float rounded = (float) expected;
    if (Float.isInfinite(rounded) || Float.isInfinite(actual)) {
      return rounded == actual;
    }
    return Math.abs(actual - expected) <= relative * Math.abs(expected) + absolute;
  }

  /** Equal values; NaN equals NaN and 0 equals −0. */
  static void assertExact(String what, double[] expected, float[] actual) {
    assertClose(what, expected, actual, 0, 0);
  }

  static void assertBits(String what, float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length, what + ": length");
    for (int i = 0; i < actual.length; i++) {
      if (Float.floatToRawIntBits(expected[i]) != Float.floatToRawIntBits(actual[i])) {
        fail("%s: element %d is %s, wanted %s".formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  /** The error function to double precision: its series, and beyond 3 the continued fraction. */
  static double erf(double x) {
    double a = Math.abs(x);
    if (Double.isNaN(x)) {
      return x;
    }
    if (a < 3) {
      double term = a;
      double sum = a;
      for (int n = 1; Math.abs(term) > 1e-18 * sum; n++) {
        term *= -a * a / n;
        sum += term / (2 * n + 1);
      }
      return Math.copySign(2 / Math.sqrt(Math.PI) * sum, x);
    }
    if (a > 10) {
      return Math.signum(x);
    }
    double fraction = 0;
    for (int n = 60; n >= 1; n--) {
      fraction = n / 2.0 / (a + fraction);
    }
    return Math.copySign(1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction), x);
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
