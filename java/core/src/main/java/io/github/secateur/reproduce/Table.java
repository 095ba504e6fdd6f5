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

  /**
   * A row.
   *
   * @param name unique in the table
   * @param model network that it starts from, by name; empty with {@code from}
   * @param from row whose network it starts from; empty with {@code model}
   * @param published test error in percent as published, NaN where there is none
   * @param expected of the mean over seeds
   * @param protocols by kind
   */
  public record Row(
      String name,
      String model,
      String from,
      double published,
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
