package io.github.secateur.report;

import java.util.List;

/** Null-tolerant helpers of the report's records. */
final class Lists {
  private Lists() {}

  /** An unmodifiable copy; empty for null. */
  static <T> List<T> copy(List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }

  /** The number, or null where it is null, NaN or infinite: not measured. */
  static Double measured(Double value) {
    return value == null || !Double.isFinite(value) ? null : value;
  }
}
