package io.github.secateur.report;

import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.sparse.Spread;
import io.github.secateur.train.Provenance;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** The sections of the page, in order; a section about nothing measured is left out. */
final class HtmlSections {
  private final Report report;
  private final Headline headline;

  HtmlSections(Report report, Headline headline) {
    this.report = report;
    this.headline = headline;
  }

  String all() {
    Html html = new Html();
    tiles(html);
    notes(html);
    comparison(html);
    training(html);
    weights(html);
    latency(html);
    layers(html);
    costs(html);
    provenance(html);
    files(html);
    return html.toString();
  }

  private void tiles(Html html) {
    html.raw("<div class=\"tiles\">\n");
    for (Headline.Tile tile : headline.tiles()) {
      html.raw("<div class=\"tile\"><p class=\"value\">").text(tile.value());
      html.raw("</p><p class=\"label\">").text(tile.label());
      html.raw("</p><p class=\"detail\">").text(tile.detail()).raw("</p></div>\n");
    }
    html.raw("</div>\n");
  }

  private void notes(Html html) {
    if (!report.notes().isEmpty()) {
      html.raw("<aside aria-label=\"Notes\"><ul>\n");
      report.notes().forEach(note -> html.element("li", note));
      html.raw("</ul></aside>\n");
    }
  }

  private void comparison(Html html) {
    if (report.cells().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "Error against sparsity");
    List<String> headers = new ArrayList<>(List.of("Sparsity"));
    headers.addAll(report.strategies());
    html.openTable("Test error by sparsity and strategy", headers);
    if (report.dense() != null && report.dense().test() != null) {
      String error = Numbers.format("%.2f %%", report.dense().test().errorPercent());
      html.raw("<tr><th scope=\"row\">dense</th><td colspan=\"" + report.strategies().size());
      html.raw("\" class=\"dense\">").text(error).raw("</td></tr>\n");
    }
    for (double sparsity : report.sparsities()) {
      comparisonRow(html, sparsity);
    }
    html.closeTable();
    html.raw("<p class=\"hint\">Test error, and its difference to the dense network in percentage");
    html.raw(" points. The best of each row is framed. A network above 50 % error is marked as");
    html.raw(" collapsed. Sparsity is over prunable weights.</p>\n");
    for (Cell cell : report.cells()) {
      if (cell.error() != null) {
        html.raw("<p class=\"failure\">").text(cell.strategy() + " at ");
        html.text(Numbers.percent(cell.requested()) + " failed: " + cell.error()).raw("</p>\n");
      }
    }
    if (report.cells().stream().anyMatch(c -> c.test() != null)) {
      html.figure("error", "Test error by strategy", "Broken grey line: the dense network.");
    }
    html.raw("</section>\n");
  }

  private void comparisonRow(Html html, double sparsity) {
    OptionalDouble best =
        report.strategies().stream()
            .map(s -> report.cell(s, sparsity))
            .filter(c -> c != null && c.test() != null && !c.collapsed())
            .mapToDouble(c -> c.test().errorPercent())
            .min();
    html.raw("<tr><th scope=\"row\">").text(Numbers.percent(sparsity)).raw("</th>");
    for (String strategy : report.strategies()) {
      Cell cell = report.cell(strategy, sparsity);
      if (cell != null && cell.error() != null) {
        html.raw("<td class=\"failed\">failed</td>");
      } else if (cell == null || cell.test() == null) {
        html.raw("<td>–</td>");
      } else {
        double error = cell.test().errorPercent();
        boolean isBest = best.isPresent() && error == best.getAsDouble();
        html.raw(isBest ? "<td class=\"best\">" : cell.collapsed() ? "<td class=\"bad\">" : "<td>");
        html.raw(cell.collapsed() ? "<span class=\"badge\">collapsed</span> " : "");
        html.raw("<span class=\"figure\">").text(Numbers.format("%.2f %%", error)).raw("</span>");
        if (cell.deltaPoints() != null) {
          html.raw(" <span class=\"delta\">");
          html.text(Numbers.format("%+.2f", cell.deltaPoints())).raw("</span>");
        }
        html.raw(isBest ? "<span class=\"unseen\"> best of this row</span>" : "").raw("</td>");
      }
    }
    html.raw("</tr>\n");
  }

  private void training(Html html) {
    boolean any =
        (report.dense() != null && !report.dense().history().isEmpty())
            || report.cells().stream().anyMatch(c -> !c.history().isEmpty());
    if (any) {
      html.raw("<section>\n").element("h2", "Training and fine-tuning");
      html.figure(
          "curves",
          "Training curves",
          "Dense: training from scratch. The others: pruning and fine-tuning of that network.");
      html.raw("</section>\n");
    }
  }

  private void weights(Html html) {
    boolean layers = report.cells().stream().anyMatch(c -> !c.layers().isEmpty());
    if (!layers && report.histograms().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "What was removed");
    if (layers) {
      html.figure("layers", "Sparsity by layer", "Pruned over all weights of the layer.");
    }
    if (!report.histograms().isEmpty()) {
      html.figure(
          "histograms",
          "Weights before and after",
          "Number of weights by value, logarithmic. After: kept weights only; the pruned zeros are"
              + " counted in each title.");
    }
    html.raw("</section>\n");
  }

  private void latency(Html html) {
    if (report.latencies().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "Latency");
    html.figure(
        "latency",
        "Dense against pruned, by batch size",
        "Median time of one forward pass of the whole network, on a logarithmic scale.");
    html.raw("<details class=\"wide\"><summary>All timings</summary>\n");
    html.openTable(
        "Latency by network and batch size",
        List.of(
            "Network",
            "Sparsity",
            "Batch",
            "Dense, µs",
            "Sparse, µs",
            "Shrunk, µs",
            "Sparse gain",
            "Shrunk gain",
            "Samples",
            "Threads",
            "BLAS core"));
    for (LatencyRow row : report.latencies()) {
      List<String> cells = new ArrayList<>();
      cells.add(row.model());
      cells.add(Numbers.percent(row.sparsity()));
      cells.add(Numbers.count(row.batch()));
      cells.add(spread(row.dense()));
      cells.add(spread(row.sparse()));
      cells.add(spread(row.shrunk()));
      cells.add(Numbers.format("%.2f×", row.sparseSpeedup()));
      cells.add(Numbers.format("%.2f×", row.shrunkSpeedup()));
      cells.add(row.dense() == null ? null : Integer.toString(row.dense().repeats()));
      cells.add(Integer.toString(row.threads()));
      cells.add(row.blasCore());
      html.row(cells);
    }
    html.closeTable();
    html.raw("<p class=\"hint\">Median, and the quartiles in brackets. Gain: dense over pruned");
    html.raw(" median; above 1 the pruned network is the faster one.</p></details></section>\n");
  }

  private static String spread(Spread spread) {
    return spread == null
        ? null
        : "%s (%s–%s)"
            .formatted(
                Numbers.micros(spread.median()),
                Numbers.micros(spread.low()),
                Numbers.micros(spread.high()));
  }

  private void layers(Html html) {
    if (report.choices().isEmpty()) {
      return;
    }
    Map<List<Object>, List<SparseChoice>> groups =
        report.choices().stream()
            .collect(
                Collectors.groupingBy(
                    c -> List.of(name(c), c.choice().layer(), c.choice().sparsity()),
                    LinkedHashMap::new,
                    Collectors.mapping(LayerChoice::choice, Collectors.toList())));
    html.raw("<section>\n").element("h2", "Which layers run sparse");
    html.raw(
        "<p class=\"hint\">A layer runs sparse only where that was measured to be at least 5 %");
    html.raw(" faster, dense and sparse each with the bias and activation that follow. Pays from:");
    html.raw(" the sparsity from which a layer of this shape would be.");
    if (report.choices().stream().anyMatch(c -> c.choice().cached())) {
      html.raw(" Times marked * are of an earlier run on this device.");
    }
    html.raw("</p>\n");
    html.openTable(
        "Choice of layout by layer and batch size",
        List.of(
            "Layer",
            "Network:",
            "Sparsity",
            "Batch",
            "Dense, µs",
            "Sparse, µs",
            "Formats, µs:",
            "Runs:",
            "Gain",
            "Pays from",
            "Batches:"));
    groups.forEach((key, choices) -> layerRows(html, key, choices));
    html.closeTable().raw("</section>\n");
  }

  private static String name(LayerChoice choice) {
    return choice.model() == null ? "–" : choice.model();
  }

  private static void layerRows(Html html, List<Object> key, List<SparseChoice> choices) {
    List<SparseChoice> ascending =
        choices.stream().sorted(Comparator.comparingLong(SparseChoice::batch)).toList();
    String span = " rowspan=\"" + ascending.size() + "\"";
    for (int i = 0; i < ascending.size(); i++) {
      SparseChoice c = ascending.get(i);
      html.raw(i == 0 ? "<tr class=\"group\">" : "<tr>");
      if (i == 0) {
        html.raw("<th scope=\"rowgroup\"" + span + ">").text(c.layer());
        html.raw("</th><td class=\"text\"" + span + ">").text(key.get(0).toString());
        html.raw("</td><td" + span + ">").text(hundredths(c.sparsity())).raw("</td>");
      }
      cell(html, Numbers.count(c.batch()));
      cell(html, Numbers.micros(c.denseMicros()) + (c.cached() ? "*" : ""));
      cell(html, Numbers.micros(c.sparseMicros()) + (c.cached() ? "*" : ""));
      html.raw("<td class=\"text\">").text(formats(c)).raw("</td>");
      html.raw(c.chosen() ? "<td class=\"text chosen\">" : "<td class=\"text\">");
      html.text(c.chosen() ? c.layout() : "dense").raw("</td>");
      cell(html, Numbers.format("%.2f×", c.speedup()));
      cell(html, paysFrom(c));
      if (i == 0) {
        html.raw("<td class=\"text\"" + span + ">").text(breakEven(ascending)).raw("</td>");
      }
      html.raw("</tr>\n");
    }
  }

  /** All formats that were timed, fastest first. */
  private static String formats(SparseChoice choice) {
    return choice.candidates().isEmpty()
        ? choice.layout()
        : choice.candidates().stream()
            .map(c -> c.format() + " " + Numbers.micros(c.time().median()))
            .collect(Collectors.joining(", "));
  }

  private static String paysFrom(SparseChoice choice) {
    if (choice.breakEven() == null) {
      return null;
    }
    Double sparsity = choice.breakEven().sparsity();
    return sparsity == null ? "none" : Numbers.format("%.0f %%", 100 * sparsity);
  }

  private static String hundredths(Double fraction) {
    return Numbers.format("%.2f %%", fraction == null ? null : (Double) (100 * fraction));
  }

  private static void cell(Html html, String text) {
    html.raw("<td>").text(text == null ? "–" : text).raw("</td>");
  }

  /** At which of the measured batch sizes a layer runs sparse, in words. */
  static String breakEven(List<SparseChoice> ascending) {
    int n = ascending.size();
    int sparse = (int) ascending.stream().filter(SparseChoice::chosen).count();
    if (sparse == 0) {
      return "never sparse";
    }
    if (sparse == n) {
      return "always sparse";
    }
    if (ascending.subList(0, sparse).stream().allMatch(SparseChoice::chosen)) {
      return "sparse up to batch " + ascending.get(sparse - 1).batch();
    }
    if (ascending.subList(n - sparse, n).stream().allMatch(SparseChoice::chosen)) {
      return "sparse from batch " + ascending.get(n - sparse).batch();
    }
    return ascending.stream()
        .filter(SparseChoice::chosen)
        .map(c -> Long.toString(c.batch()))
        .collect(Collectors.joining(", ", "sparse at batch ", ""));
  }

  private void costs(Html html) {
    if (report.cells().isEmpty()) {
      return;
    }
    html.raw("<section>\n").element("h2", "Counts, sizes and cost");
    if (report.cells().stream().anyMatch(c -> c.files() != null)) {
      html.figure(
          "sizes", "File sizes", "ONNX files. Gzipped: the file with zeros, compression level 9.");
    }
    html.openTable(
        "Exact counts and file sizes",
        List.of(
            "Strategy",
            "Asked",
            "Reached",
            "Learned",
            "Pruned",
            "Kept",
            "Kept zeros",
            "ONNX nonzeros",
            "With zeros",
            "Gzipped",
            "Sparse",
            "Shrunk",
            "Time"));
    if (report.dense() != null) {
      costRow(html, "dense", null, report.dense().files(), report.dense().trainSeconds());
    }
    for (Cell cell : report.cells()) {
      costRow(html, cell.strategy(), cell, cell.files(), cell.trainSeconds());
    }
    html.closeTable();
    html.raw("<p class=\"hint\">Asked, reached: pruned over prunable weights. Learned: what");
    html.raw(" training reached by itself before the exact cut. Kept zeros: kept weights that");
    html.raw(" happen to be 0. Time: wall time of training, or of pruning and fine-tuning.</p>");
    html.raw("</section>\n");
  }

  private static void costRow(Html html, String name, Cell cell, FileSizes files, Double seconds) {
    MaskCounts mask = cell == null ? null : cell.mask();
    List<String> row = new ArrayList<>(List.of(name));
    row.add(cell == null ? null : Numbers.percent(cell.requested()));
    row.add(cell == null ? null : hundredths(cell.reached()));
    row.add(cell == null ? null : hundredths(cell.learned()));
    row.add(mask == null ? null : Numbers.count(mask.pruned()));
    row.add(mask == null ? null : Numbers.count(mask.kept()));
    row.add(mask == null ? null : Numbers.count(mask.keptZeros()));
    row.add(cell == null ? null : Numbers.count(cell.onnxNonzeros()));
    Long plain = files == null ? null : cell == null ? files.dense() : files.withZeros();
    row.add(Numbers.bytes(plain));
    row.add(files == null ? null : Numbers.bytes(files.gzipped()));
    row.add(files == null ? null : Numbers.bytes(files.sparse()));
    row.add(files == null ? null : Numbers.bytes(files.shrunk()));
    row.add(Numbers.seconds(seconds));
    html.row(row);
  }

  private void provenance(Html html) {
    if (report.command() == null && report.model() == null && report.provenance() == null) {
      return;
    }
    html.raw("<section>\n").element("h2", "Where these numbers come from");
    html.raw("<div class=\"scroll\"><table class=\"facts\"><tbody>\n");
    fact(html, "command", report.command());
    if (report.model() != null) {
      ModelFacts model = report.model();
      fact(html, "network", model.name());
      fact(html, "layers", model.layers().isEmpty() ? null : String.join("; ", model.layers()));
      fact(html, "parameters", Numbers.count(model.parameters()));
      fact(html, "prunable weights", Numbers.count(model.prunableWeights()));
    }
    Provenance from = report.provenance();
    if (from != null) {
      fact(html, "time (UTC)", from.time());
      fact(html, "Secateur", from.secateur());
      fact(html, "device", from.device());
      from.deviceDetails().forEach((name, value) -> fact(html, name, value));
      fact(html, "seed", Long.toString(from.seed()));
      from.options().forEach((name, value) -> fact(html, name, value));
      from.data().forEach((name, value) -> fact(html, name + " data, SHA-256", value));
      fact(html, "Java", from.java());
      fact(html, "operating system", from.os());
    }
    html.raw("</tbody></table></div></section>\n");
  }

  private static void fact(Html html, String name, String value) {
    if (value != null) {
      html.row(List.of(name, value));
    }
  }

  private void files(Html html) {
    if (!report.files().isEmpty()) {
      html.raw("<section>\n").element("h2", "Files");
      html.openTable("Files written", List.of("File", "Holds:", "Size"));
      for (Artifact file : report.files()) {
        html.raw("<tr><th scope=\"row\"><code>").text(file.path());
        html.raw("</code></th><td class=\"text\">");
        html.text(file.description() == null ? "–" : file.description()).raw("</td>");
        cell(html, Numbers.bytes(file.bytes()));
        html.raw("</tr>\n");
      }
      html.closeTable().raw("</section>\n");
    }
  }
}
