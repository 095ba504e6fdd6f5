package io.github.secateur.report;

import io.github.secateur.report.TerminalTable.Align;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A report's comparison as text for a terminal, at most 100 columns wide. */
public final class ComparisonTables {
  /** Strategies side by side in one table; more go into further tables. */
  private static final int COLUMNS = 3;

  private static final int NAME_WIDTH = 20;

  private final Report report;
  private final TerminalTable.Style style;

  private ComparisonTables(Report report, TerminalTable.Style style) {
    this.report = report;
    this.style = style;
  }

  /**
   * Two kinds of table: test error by sparsity and strategy, with its difference to the dense
   * network; then size and latency of every pruned network. A part that was not measured is left
   * out.
   */
  public static String format(Report report, TerminalTable.Style style) {
    ComparisonTables tables = new ComparisonTables(report, style);
    StringBuilder out = new StringBuilder();
    List<String> strategies = report.strategies();
    for (int i = 0; i < strategies.size(); i += COLUMNS) {
      List<String> some = strategies.subList(i, Math.min(i + COLUMNS, strategies.size()));
      out.append(tables.errors(some)).append('\n');
    }
    if (!report.cells().isEmpty()) {
      out.append(tables.costs());
    }
    for (Cell cell : report.cells()) {
      if (cell.error() != null) {
        out.append(
            style.fit(
                "%s at %s failed: %s"
                    .formatted(cell.strategy(), Numbers.percent(cell.requested()), cell.error())));
        out.append('\n');
      }
    }
    return out.toString();
  }

  private String errors(List<String> strategies) {
    TerminalTable table = new TerminalTable(style).column("sparsity", Align.RIGHT);
    for (String strategy : strategies) {
      table.column(shorten(strategy) + " error %", Align.RIGHT);
    }
    if (report.dense() != null && report.dense().test() != null) {
      List<String> row = new ArrayList<>(List.of("dense"));
      for (int i = 0; i < strategies.size(); i++) {
        row.add(Numbers.format("%.2f", report.dense().test().errorPercent()) + " ".repeat(9));
      }
      table.row(row);
    }
    for (double sparsity : report.sparsities()) {
      List<String> row = new ArrayList<>(List.of(Numbers.percent(sparsity)));
      for (String strategy : strategies) {
        row.add(error(report.cell(strategy, sparsity)));
      }
      table.row(row);
    }
    return table.format();
  }

  private String error(Cell cell) {
    if (cell == null) {
      return null;
    }
    if (cell.error() != null) {
      return "failed";
    }
    if (cell.test() == null) {
      return null;
    }
    String delta =
        cell.deltaPoints() == null
            ? ""
            : "(%s)".formatted(Numbers.format("%+.2f", cell.deltaPoints()));
    return (cell.collapsed() ? "collapsed " : "")
        + "%s %8s".formatted(Numbers.format("%.2f", cell.test().errorPercent()), delta);
  }

  private String costs() {
    Long batch = latencyBatch();
    TerminalTable table =
        new TerminalTable(style)
            .column("strategy", Align.LEFT)
            .column("asked", Align.RIGHT)
            .column("reached", Align.RIGHT)
            .column("nonzeros", Align.RIGHT)
            .column("gzipped", Align.RIGHT)
            .column("sparse", Align.RIGHT);
    if (batch != null) {
      table
          .column("dense µs", Align.RIGHT)
          .column("sparse µs", Align.RIGHT)
          .column("speed-up", Align.RIGHT);
    }
    for (Cell cell : report.cells()) {
      List<String> row = new ArrayList<>();
      row.add(shorten(cell.strategy()));
      row.add(Numbers.percent(cell.requested()));
      row.add(cell.reached() == null ? null : Numbers.format("%.2f %%", 100 * cell.reached()));
      row.add(cell.onnxNonzeros() == null ? null : Numbers.format("%,d", cell.onnxNonzeros()));
      FileSizes files = cell.files();
      row.add(files == null ? null : Numbers.bytes(files.gzipped()));
      row.add(files == null ? null : Numbers.bytes(files.sparse()));
      if (batch != null) {
        addLatency(row, latency(cell, batch));
      }
      table.row(row);
    }
    String caption =
        batch == null ? "" : "Latency of one forward pass, batch size " + batch + ", median.\n";
    return table.format() + caption;
  }

  private static void addLatency(List<String> row, LatencyRow latency) {
    boolean dense = latency != null && latency.dense() != null;
    boolean sparse = latency != null && latency.sparse() != null;
    Double speedup = latency == null ? null : latency.sparseSpeedup();
    row.add(dense ? Numbers.format("%,.0f", latency.dense().median()) : null);
    row.add(sparse ? Numbers.format("%,.0f", latency.sparse().median()) : null);
    row.add(speedup == null ? null : Numbers.format("%.2f×", speedup));
  }

  /** The largest batch size at which a cell was timed: there is one column for it. */
  private Long latencyBatch() {
    return report.latencies().stream()
        .filter(l -> report.strategies().contains(l.model()))
        .map(LatencyRow::batch)
        .max(Comparator.naturalOrder())
        .orElse(null);
  }

  private LatencyRow latency(Cell cell, long batch) {
    return report.latencies().stream()
        .filter(l -> l.model().equals(cell.strategy()) && l.batch() == batch)
        .filter(l -> l.sparsity() != null && l.sparsity() == cell.requested())
        .findFirst()
        .orElse(null);
  }

  private static String shorten(String name) {
    int length = name.codePointCount(0, name.length());
    return length <= NAME_WIDTH
        ? name
        : name.substring(0, name.offsetByCodePoints(0, NAME_WIDTH - 2)) + "..";
  }
}
