package io.github.secateur.sparse;

import java.util.Locale;

/**
 * What the choice of formats took.
 *
 * @param measured layers and models that were timed
 * @param cached layers and models whose times were known from this run or an earlier one
 * @param seconds spent timing
 */
public record Tuning(int measured, int cached, double seconds) {
  /** For example {@code 3 layers and models timed in 0.4 s, 5 known}. */
  public String sentence() {
    return String.format(
        Locale.ROOT, "%d layers and models timed in %.1f s, %d known", measured, seconds, cached);
  }

  /** What came after an earlier state. */
  Tuning since(Tuning earlier) {
    return new Tuning(
        measured - earlier.measured, cached - earlier.cached, seconds - earlier.seconds);
  }
}
