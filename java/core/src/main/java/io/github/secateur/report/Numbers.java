package io.github.secateur.report;

import java.util.Locale;

/** Numbers with their units as readers see them; null, NaN and infinity stay null. */
final class Numbers {
  private Numbers() {}

  /** By a format of one argument, the same in every language. */
  static String format(String format, Number value) {
    return value == null || !Double.isFinite(value.doubleValue())
        ? null
        : String.format(Locale.ROOT, format, value);
  }

  /** A fraction 0..1 as percent with at most four decimals: {@code 90 %}. */
  static String percent(Double fraction) {
    String text = format("%.4f", fraction == null ? null : (Double) (100 * fraction));
    return text == null ? null : text.replaceAll("\\.?0+$", "") + " %";
  }

  /** A count with thousands apart: {@code 266,200}. */
  static String count(Long count) {
    return format("%,d", count);
  }

  /** Microseconds with three figures at least: {@code 12.3}, {@code 1,234}. */
  static String micros(Double micros) {
    return format(micros != null && micros < 100 ? "%.1f" : "%,.0f", micros);
  }

  /** Seconds as {@code 12.3 s} or {@code 4 min 05 s}. */
  static String seconds(Double seconds) {
    if (seconds == null || !Double.isFinite(seconds)) {
      return null;
    }
    if (seconds < 99.95) {
      return format("%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
  }

  /** Bytes in decimal units with three figures: {@code 123 B}, {@code 12.3 kB}. */
  static String bytes(Long bytes) {
    if (bytes == null) {
      return null;
    }
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    String format = unit == 0 || value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f";
    return format(format, value) + " " + units[unit];
  }
}
