package io.github.secateur.reproduce;

import java.util.List;

/**
 * A row over its seeds.
 *
 * @param row the row
 * @param outcomes one a seed
 * @param mean error in percent
 * @param deviation sample standard deviation of the error, NaN for one seed
 * @param passed whether the mean is as expected; true where nothing is
 */
public record Verdict(
    Table.Row row, List<Outcome> outcomes, double mean, double deviation, boolean passed) {
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
    List<Outcome> own = all.stream().filter(o -> o.row().equals(row.name())).toList();
    double mean = mean(row.name(), all);
    double squares =
        own.stream().mapToDouble(o -> (o.errorPercent() - mean) * (o.errorPercent() - mean)).sum();
    double deviation = own.size() < 2 ? Double.NaN : Math.sqrt(squares / (own.size() - 1));
    // Errors are counts of 10,000 samples: what is equal in print should be equal here.
    double slack = 1e-9;
    boolean passed =
        switch (row.expected()) {
          case Expectation.None() -> true;
          case Expectation.AtMost(double error) -> mean <= error + slack;
          case Expectation.Above(double points, String other) ->
              mean <= mean(other, all) + points + slack;
          case Expectation.Below(String other) -> mean < mean(other, all);
        };
    return new Verdict(row, own, mean, deviation, passed);
  }

  private static double mean(String row, List<Outcome> all) {
    return all.stream()
        .filter(o -> o.row().equals(row))
        .mapToDouble(Outcome::errorPercent)
        .average()
        .orElse(Double.NaN);
  }
}
