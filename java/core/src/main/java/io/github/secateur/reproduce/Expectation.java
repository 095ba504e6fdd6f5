package io.github.secateur.reproduce;

/** What the mean error of a row over its seeds should be; errors in percent. */
public sealed interface Expectation {
  /** Nothing: the row is there to be compared with. */
  record None() implements Expectation {}

  /** At most so much. */
  record AtMost(double error) implements Expectation {}

  /** At most so many points above another row. */
  record Above(double points, String row) implements Expectation {}

  /** Below another row. */
  record Below(String row) implements Expectation {}

  /** As people read it. */
  default String text() {
    return switch (this) {
      case None() -> "";
      case AtMost(double error) -> "at most " + error + " %";
      case Above(double points, String row) -> "at most %s points above %s".formatted(points, row);
      case Below(String row) -> "below " + row;
    };
  }
}
