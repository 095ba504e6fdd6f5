package io.github.secateur.reproduce;

import java.util.List;
import java.util.Map;

/**
 * A table to reproduce.
 *
 * @param name short, such as {@code snip}
 * @param title what it shows
 * @param source paper and table
 * @param rows in the order they are run; a row may start from the network of one before it
 */
public record Table(String name, String title, String source, List<Row> rows) {
  /** Copies the list. */
  public Table {
    rows = List.copyOf(rows);
  }

  /** What a row starts from. */
  public sealed interface Start {
    /**
     * A network by name.
     *
     * @param standardize whether its inputs are standardized, as {@link
     *     io.github.secateur.nn.Standardization} has it
     */
    record Network(String model, boolean standardize) implements Start {}

    /** The network that another row ended with. */
    record Of(String row) implements Start {}
  }

  /** Which test error is compared with the published one. */
  public enum Measure {
    /** That after the last epoch. */
    LAST,
    /**
     * The lowest after any epoch, for papers whose authors report the best of their checkpoints on
     * the test samples. It chooses by what it reports, so it is shown beside the last.
     */
    LOWEST
  }

  /**
   * A row.
   *
   * @param name unique in the table
   * @param start what it starts from
   * @param published test error in percent as published, NaN where there is none
   * @param measure of the error that is expected
   * @param expected of the mean over seeds
   * @param protocols by kind
   */
  public record Row(
      String name,
      Start start,
      double published,
      Measure measure,
      Expectation expected,
      Map<Protocol.Kind, Protocol> protocols) {
    /** Copies the map. */
    public Row {
      protocols = Map.copyOf(protocols);
    }
  }

  /**
   * A row by its name.
   *
   * @throws IllegalArgumentException when there is none
   */
  public Row row(String wanted) {
    return rows.stream()
        .filter(row -> row.name().equals(wanted))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no row '" + wanted + "'"));
  }
}
