package io.github.secateur.cli;

import io.github.secateur.report.Cell;
import io.github.secateur.report.Report;
import io.github.secateur.report.TerminalTable;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Mean and spread over several seeds of the same study. */
final class SeedSummary {
  private SeedSummary() {}

  /** A row a strategy and sparsity: mean error, its range, mean and largest distance to dense. */
  static TerminalTable table(List<Report> reports) {
    TerminalTable table =
        TerminalTable.of(
            "strategy", "sparsity", "error %", "lowest", "highest", "above dense", "at most");
    double[] dense = reports.stream().mapToDouble(r -> r.dense().test().errorPercent()).toArray();
    table.row("dense", "0 %", format(mean(dense)), format(min(dense)), format(max(dense)), "", "");
    Report first = reports.getFirst();
    for (String strategy : first.strategies()) {
      for (double sparsity : first.sparsities()) {
        List<Cell> cells =
            reports.stream()
                .map(r -> r.cell(strategy, sparsity))
                .filter(Objects::nonNull)
                .filter(c -> c.test() != null)
                .toList();
        double[] errors = cells.stream().mapToDouble(c -> c.test().errorPercent()).toArray();
        double[] deltas = cells.stream().mapToDouble(Cell::deltaPoints).toArray();
        table.row(
            strategy,
            StudyFiles.percent(sparsity) + " %",
            format(mean(errors)),
            format(min(errors)),
            format(max(errors)),
            String.format(Locale.ROOT, "%+.2f", mean(deltas)),
            String.format(Locale.ROOT, "%+.2f", max(deltas)));
      }
    }
    return table;
  }

  private static String format(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return sum / values.length;
  }

  private static double min(double[] values) {
    double least = Double.POSITIVE_INFINITY;
    for (double v : values) {
      least = Math.min(least, v);
    }
    return least;
  }

  private static double max(double[] values) {
    double most = Double.NEGATIVE_INFINITY;
    for (double v : values) {
      most = Math.max(most, v);
    }
    return most;
  }
}
