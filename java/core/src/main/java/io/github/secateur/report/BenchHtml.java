package io.github.secateur.report;

import io.github.secateur.io.AtomicFile;
import io.github.secateur.measure.BenchReport;
import io.github.secateur.measure.BenchResult;
import io.github.secateur.measure.BenchResult.Product;
import io.github.secateur.measure.Crossing;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.train.Provenance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A benchmark's report as one HTML file that holds all it needs: verdicts, charts of speed-up,
 * break-even, latency and the roofline, and every number as a table.
 */
public final class BenchHtml {
  private static final List<String> PRODUCT_HEADERS =
      List.of(
          "Format:",
          "Time, µs",
          "Quartiles, µs",
          "Gain",
          "Useful GFLOP/s",
          "Effective GFLOP/s",
          "FLOP a byte",
          "Ceiling GFLOP/s",
          "% of peak",
          "% of memory");

  private final BenchReport report;
  private final Html html = new Html();

  private BenchHtml(BenchReport report) {
    this.report = report;
  }

  /**
   * Writes the page; the file appears whole or not at all.
   *
   * @throws IOException naming the file that cannot be written
   */
  public static void write(BenchReport report, Path file) throws IOException {
    AtomicFile.write(file, toText(report));
  }

  /** The page. */
  public static String toText(BenchReport report) {
    BenchHtml page = new BenchHtml(report);
    return new HtmlPage(
            "Secateur benchmark",
            report.title(),
            page.headline(),
            page.body(),
            BenchJson.toTree(report).toString(),
            "bench.js")
        .toText();
  }

  private String headline() {
    if (!report.batches().isEmpty()) {
      BenchReport.ModelTimes last = report.batches().getLast();
      return "At batch %d, %s.".formatted(last.batch(), last.verdict());
    }
    long pays = report.breakEvens().stream().filter(b -> b.pays() != Crossing.Pays.NOWHERE).count();
    return "Sparse pays at some sparsity that was measured for %d of %d combinations of matrix, pattern and batch size."
        .formatted(pays, report.breakEvens().size());
  }

  private String body() {
    tiles();
    notes();
    verdicts();
    model();
    figures();
    products();
    provenance();
    return html.toString();
  }

  private void tiles() {
    html.raw("<div class=\"tiles\">\n");
    tile(
        Numbers.format("%.0f GFLOP/s", report.roofline().peakGflops()),
        "measured peak",
        "multiply-adds in F32, counted as two");
    tile(
        Numbers.format("%.1f GB/s", report.roofline().bandwidthGBs()),
        "measured bandwidth",
        "read from memory past the caches");
    Optional<BenchResult> best =
        report.results().stream()
            .filter(r -> r.best().isPresent())
            .max(Comparator.comparingDouble(r -> r.best().orElseThrow().speedup()));
    best.ifPresent(
        r -> {
          Product p = r.best().orElseThrow();
          tile(
              times(p.speedup()),
              "largest speed-up",
              "%s, %s at %s, batch %d (%s)"
                  .formatted(
                      r.matrix(), r.pattern(), percent(r.sparsity()), r.batch(), p.format()));
        });
    report.breakEvens().stream()
        .filter(b -> b.sparsity() != null)
        .min(Comparator.comparingDouble(Crossing::sparsity))
        .ifPresent(
            b ->
                tile(
                    percent(b.sparsity()),
                    "lowest break-even",
                    "%s, %s, batch %d".formatted(b.matrix(), b.pattern(), b.batch())));
    html.raw("</div>\n");
  }

  private void tile(String value, String label, String detail) {
    html.raw("<div class=\"tile\"><p class=\"value\">").text(value);
    html.raw("</p><p class=\"label\">").text(label);
    html.raw("</p><p class=\"detail\">").text(detail).raw("</p></div>\n");
  }

  private void notes() {
    if (!report.notes().isEmpty()) {
      html.raw("<aside aria-label=\"Notes\"><ul>\n");
      report.notes().forEach(note -> html.element("li", note));
      html.raw("</ul></aside>\n");
    }
  }

  private void verdicts() {
    boolean curves = report.batches().isEmpty() && !report.breakEvens().isEmpty();
    if (curves) {
      html.raw("<section>\n").element("h2", "Does pruning pay?").raw("<ul>\n");
      report.breakEvens().forEach(b -> html.element("li", b.verdict()));
      html.raw("</ul>\n");
      if (report.breakEvens().stream().anyMatch(b -> b.sparsity() != null)) {
        html.figure(
            "breakeven",
            "Break-even sparsity",
            "From this sparsity on the fastest sparse product beats the dense one. Where a value is"
                + " missing it lies outside what was measured.");
      }
      html.raw("</section>\n");
    }
  }

  private void model() {
    if (report.batches().isEmpty()) {
      return;
    }
    List<List<String>> whole = new ArrayList<>();
    List<List<String>> layers = new ArrayList<>();
    for (BenchReport.ModelTimes b : report.batches()) {
      whole.add(
          List.of(
              Numbers.count(b.batch()),
              Numbers.micros(b.denseMicros().median()),
              Numbers.micros(b.sparseMicros().median()),
              times(b.speedup()),
              b.verdict()));
      for (SparseChoice c : b.layers()) {
        layers.add(
            Arrays.asList(
                c.layer(),
                Numbers.count(c.batch()),
                percent(c.sparsity()),
                Numbers.micros(c.denseMicros()),
                Numbers.micros(c.sparseMicros()),
                times(c.speedup()),
                c.chosen() ? c.layout() : "dense",
                BenchReport.pays(c)));
      }
    }
    html.raw("<section>\n").element("h2", "The whole network");
    table(
        "The whole network by batch size",
        List.of("Batch", "Dense, µs", "Sparse, µs", "Gain", "Verdict:"),
        whole);
    html.raw("</section>\n");
    if (!layers.isEmpty()) {
      html.raw("<section>\n").element("h2", "Layers, as they run in the network");
      table(
          "Layers by batch size",
          List.of(
              "Layer",
              "Batch",
              "Sparsity",
              "Dense, µs",
              "Sparse, µs",
              "Gain",
              "Runs:",
              "Sparse pays:"),
          layers);
      html.raw("</section>\n");
    }
  }

  private void figures() {
    if (report.results().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "Charts");
    if (report.batches().isEmpty()) {
      html.figure(
          "speedup",
          "Speed-up by sparsity",
          "Dense over the fastest sparse time, on a logarithmic scale. Crosses mark the break-even"
              + " sparsity; above the broken grey line sparse is the faster.");
    }
    html.figure("latency", "Latency by batch size", "Median time of a product.");
    html.figure(
        "roofline",
        "Roofline",
        "What each product reaches against the most that this machine could at its intensity: the"
            + " sloping part is the measured read bandwidth, the level part the measured peak of"
            + " multiply-adds. Sparse products count their nonzeros alone. Points above the slope"
            + " find their data in caches.");
    html.raw("</section>\n");
  }

  private void products() {
    if (report.results().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "All products");
    boolean columns = report.results().stream().anyMatch(r -> r.columns() != r.batch());
    List<String> headers = new ArrayList<>(List.of("Matrix", "Pattern:", "Sparsity", "Batch"));
    if (columns) {
      headers.add("Columns");
    }
    headers.addAll(PRODUCT_HEADERS);
    List<List<String>> rows = new ArrayList<>();
    for (BenchResult r : report.results()) {
      r.products().forEach(p -> rows.add(product(r, p, columns)));
    }
    table("Products by matrix, pattern, sparsity, batch size and format", headers, rows);
    html.raw("<p class=\"hint\">Useful counts nonzeros alone, effective all weights: what dense");
    html.raw(" would have to reach to be as fast. Gain: dense over own time. % of memory: of the");
    html.raw(" read bandwidth; above 100 % where the data stays in caches.</p></section>\n");
  }

  private static List<String> product(BenchResult r, Product p, boolean columns) {
    List<String> row = new ArrayList<>();
    row.add(r.matrix());
    row.add(r.pattern());
    row.add(percent(r.sparsity()));
    row.add(Numbers.count(r.batch()));
    if (columns) {
      row.add(Numbers.count(r.columns()));
    }
    row.add(p.format());
    row.add(Numbers.micros(p.micros().median()));
    row.add(Numbers.micros(p.micros().low()) + "–" + Numbers.micros(p.micros().high()));
    row.add(times(p.speedup()));
    row.add(Numbers.format("%.1f", p.usefulGflops()));
    row.add(Numbers.format("%.1f", p.effectiveGflops()));
    row.add(Numbers.format("%.2f", p.intensity()));
    row.add(Numbers.format("%.1f", p.ceilingGflops()));
    row.add(Numbers.format("%.0f", 100 * p.ofPeak()));
    row.add(Numbers.format("%.0f", 100 * p.ofBandwidth()));
    return row;
  }

  /** A table; under a header that ends with a colon stands text. */
  private void table(String label, List<String> headers, List<List<String>> rows) {
    html.openTable(label, headers);
    for (List<String> row : rows) {
      html.raw("<tr><th scope=\"row\">").text(row.getFirst()).raw("</th>");
      for (int c = 1; c < row.size(); c++) {
        html.raw(headers.get(c).endsWith(":") ? "<td class=\"text\">" : "<td>");
        html.text(row.get(c) == null ? "–" : row.get(c)).raw("</td>");
      }
      html.raw("</tr>\n");
    }
    html.closeTable();
  }

  private void provenance() {
    Provenance from = report.provenance();
    html.raw("<section>\n").element("h2", "Where these numbers come from");
    html.raw("<div class=\"scroll\"><table class=\"facts\"><tbody>\n");
    if (report.model() != null) {
      html.row(List.of("model", report.model()));
    }
    html.row(List.of("time (UTC)", from.time()));
    html.row(List.of("Secateur", from.secateur()));
    html.row(List.of("device", from.device()));
    from.deviceDetails().forEach((name, value) -> html.row(List.of(name, value)));
    html.row(List.of("seed", Long.toString(from.seed())));
    from.options().forEach((name, value) -> html.row(List.of(name, value)));
    html.row(List.of("Java", from.java()));
    html.row(List.of("operating system", from.os()));
    html.raw("</tbody></table></div></section>\n");
  }

  private static String percent(double fraction) {
    return Numbers.percent(Math.round(1000 * fraction) / 1000.0);
  }

  private static String times(double speedup) {
    return Numbers.format("%.2f×", speedup);
  }
}
