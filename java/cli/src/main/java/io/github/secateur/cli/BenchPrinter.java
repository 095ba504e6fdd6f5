package io.github.secateur.cli;

import io.github.secateur.measure.BenchReport;
import io.github.secateur.measure.BenchResult;
import io.github.secateur.measure.BenchResult.Product;
import io.github.secateur.measure.Crossing;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.sparse.SparseChoice;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Prints a benchmark's report as tables and sentences. */
final class BenchPrinter {
  private static final List<String> RATES =
      List.of("µs", "dense µs", "speed-up", "useful GFLOP/s", "effective", "% peak", "% memory");

  private final BenchReport report;
  private final boolean all;

  /**
   * @param all whether every format gets its line, or the fastest alone
   */
  BenchPrinter(BenchReport report, boolean all) {
    this.report = report;
    this.all = all;
  }

  void print(PrintStream out) {
    out.println(report.device().description());
    out.printf(
        Locale.ROOT,
        "measured peak: %.0f GFLOP/s, %.1f GB/s read from memory%n",
        report.roofline().peakGflops(),
        report.roofline().bandwidthGBs());
    if (report.batches().stream().anyMatch(b -> !b.layers().isEmpty())) {
      section(out, "Layers, as they run in the network");
      out.print(layers());
    }
    if (!report.batches().isEmpty()) {
      section(out, "The whole network");
      out.print(network());
      report.batches().forEach(b -> out.printf("batch %d: %s%n", b.batch(), b.verdict()));
      if (report.batches().stream().anyMatch(b -> b.tuning().cached() > 0)) {
        out.println("Some of these times are of earlier runs; --retune takes them anew.");
      }
    }
    if (!report.results().isEmpty()) {
      section(out, "Products");
      out.print(products());
    }
    if (report.batches().isEmpty() && !report.breakEvens().isEmpty()) {
      section(out, "Does pruning pay?");
      report.breakEvens().stream().map(Crossing::verdict).forEach(out::println);
    }
    if (!report.notes().isEmpty()) {
      out.println();
      report.notes().forEach(note -> out.println("note: " + note));
    }
  }

  private static void section(PrintStream out, String title) {
    out.println();
    out.println(title);
  }

  private TerminalTable layers() {
    TerminalTable table =
        TerminalTable.of(
            "layer",
            "batch",
            "sparsity",
            "dense µs",
            "sparse µs",
            "speed-up",
            "runs",
            "sparse pays");
    for (BenchReport.ModelTimes b : report.batches()) {
      for (SparseChoice c : b.layers()) {
        table.row(
            c.layer(),
            Long.toString(c.batch()),
            percent(c.sparsity()),
            micros(c.denseMicros()),
            micros(c.sparseMicros()),
            times(c.speedup()),
            c.chosen() ? c.layout() : "dense",
            BenchReport.pays(c));
      }
    }
    return table;
  }

  private TerminalTable network() {
    TerminalTable table = TerminalTable.of("batch", "dense µs", "sparse µs", "speed-up", "spread");
    for (BenchReport.ModelTimes b : report.batches()) {
      table.row(
          Long.toString(b.batch()),
          micros(b.denseMicros().median()),
          micros(b.sparseMicros().median()),
          times(b.speedup()),
          format("%.0f %%", 100 * b.denseMicros().noise() / b.denseMicros().median()));
    }
    return table;
  }

  private TerminalTable products() {
    TerminalTable table =
        new TerminalTable(TerminalTable.Style.current())
            .column("matrix", TerminalTable.Align.LEFT)
            .column("pattern", TerminalTable.Align.LEFT);
    table.column("sparsity", TerminalTable.Align.RIGHT).column("batch", TerminalTable.Align.RIGHT);
    table.column("format", TerminalTable.Align.LEFT);
    RATES.forEach(header -> table.column(header, TerminalTable.Align.RIGHT));
    for (BenchResult r : report.results()) {
      for (Product p : shown(r)) {
        table.row(
            r.matrix(),
            r.pattern(),
            percent(r.sparsity()),
            Long.toString(r.batch()),
            p.format(),
            micros(p.micros().median()),
            micros(r.dense().micros().median()),
            times(p.speedup()),
            format("%.1f", p.usefulGflops()),
            format("%.1f", p.effectiveGflops()),
            format("%.0f", 100 * p.ofPeak()),
            format("%.0f", 100 * p.ofBandwidth()));
      }
    }
    return table;
  }

  private List<Product> shown(BenchResult r) {
    List<Product> shown = new ArrayList<>();
    if (all) {
      shown.addAll(r.products());
    } else {
      shown.add(r.best().orElse(r.dense()));
    }
    return shown;
  }

  private static String percent(double fraction) {
    return format("%.1f %%", 100 * fraction);
  }

  private static String micros(double micros) {
    return format(micros < 100 ? "%.1f" : "%.0f", micros);
  }

  private static String times(double speedup) {
    return format("%.2fx", speedup);
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
