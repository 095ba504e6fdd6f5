package io.github.secateur.reproduce;

import java.util.Arrays;
import java.util.List;

/**
 * A row over its seeds.
 *
 * @param row the row
 * @param outcomes one a seed
 * @param passed whether the mean is as expected; true where nothing is
 */
public record Verdict(Table.Row row, List<Outcome> outcomes, boolean passed) {
  /** Copies the list. */
  public Verdict {
    outcomes = List.copyOf(outcomes);
  }

  /**
   * Judges a row.
   *
   * @param all outcomes of the whole table
   */
  static Verdict of(Table.Row row, List<Outcome> all) {
    double last = mean(row.name(), Table.Measure.LAST, all);
    // Errors are counts of 10,000 samples: what is equal in print should be equal here.
    double slack = 1e-9;
    boolean passed =
        switch (row.expected()) {
          case Expectation.None() -> true;
          case Expectation.AtMost(double error) ->
              mean(row.name(), row.measure(), all) <= error + slack;
          case Expectation.Above(double points, String other) ->
              last <= mean(other, Table.Measure.LAST, all) + points + slack;
          case Expectation.Below(String other) -> last < mean(other, Table.Measure.LAST, all);
        };
    return new Verdict(row, all.stream().filter(o -> o.row().equals(row.name())).toList(), passed);
  }

  /** Mean error in percent; the lowest only of rows that measure it. */
  public double mean(Table.Measure measure) {
    return mean(row.name(), measure, outcomes);
  }

  /** Sample standard deviation of the error, NaN for one seed. */
  public double deviation(Table.Measure measure) {
    double mean = mean(measure);
    double[] off = outcomes.stream().mapToDouble(o -> o.error(measure) - mean).toArray();
    double squares = Arrays.stream(off).map(d -> d * d).sum();
    return off.length < 2 ? Double.NaN : Math.sqrt(squares / (off.length - 1));
  }

  private static double mean(String row, Table.Measure measure, List<Outcome> all) {
    return all.stream()
        .filter(o -> o.row().equals(row))
        .mapToDouble(o -> o.error(measure))
        .average()
        .orElse(Double.NaN);
  }
}
