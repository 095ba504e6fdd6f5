package io.github.secateur.reproduce;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.io.AtomicFile;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.train.Provenance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A reproduced table for people and for programs.
 *
 * @param table what was run
 * @param protocol of all rows
 * @param verdicts one a row
 * @param provenance versions, device, data
 */
public record ReproductionReport(
    Table table, Protocol.Kind protocol, List<Verdict> verdicts, Provenance provenance) {
  /** Copies the list. */
  public ReproductionReport {
    verdicts = List.copyOf(verdicts);
  }

  /** Whether every row came out as expected; a smoke test expects nothing of errors. */
  public boolean passed() {
    return protocol == Protocol.Kind.QUICK || verdicts.stream().allMatch(Verdict::passed);
  }

  /** For the terminal. */
  public TerminalTable terminal() {
    boolean lowest = measuresLowest();
    TerminalTable out =
        lowest
            ? TerminalTable.of(
                "row", "published", "ours", "spread", "lowest", "pruned", "expected", "")
            : TerminalTable.of("row", "published", "ours", "spread", "pruned", "expected", "");
    for (Verdict v : verdicts) {
      double deviation = v.deviation(Table.Measure.LAST);
      List<String> cells = new ArrayList<>();
      cells.add(v.row().name());
      cells.add(percent(v.row().published()));
      cells.add(percent(v.mean(Table.Measure.LAST)));
      cells.add(Double.isNaN(deviation) ? "" : number(deviation));
      if (lowest) {
        cells.add(isLowest(v) ? percent(v.mean(Table.Measure.LOWEST)) : "");
      }
      cells.add(number(100 * pruned(v)) + " %");
      cells.add(expected(v));
      cells.add(judgement(v));
      out.row(cells.toArray(String[]::new));
    }
    return out;
  }

  /** A document to keep. */
  public String markdown() {
    StringBuilder out = new StringBuilder();
    out.append("# ").append(table.title()).append("\n\n").append(table.source()).append(". ");
    out.append("Test error in percent after the last epoch, mean ± standard deviation over ");
    out.append(verdicts.getFirst().outcomes().size()).append(" seeds; protocol `");
    out.append(protocol.name().toLowerCase(Locale.ROOT)).append("`.");
    boolean lowest = measuresLowest();
    if (lowest) {
      out.append(" Lowest: the lowest test error after any epoch, which is what the authors report")
          .append(" and what is expected of ours; it chooses by the test samples.");
    }
    out.append("\n\n| row | published | ours |").append(lowest ? " lowest |" : "");
    out.append(" pruned | expected | | epochs | shortened |\n");
    out.append(lowest ? "|---" : "").append("|---|---|---|---|---|---|---|---|\n");
    for (Verdict v : verdicts) {
      out.append("| ").append(v.row().name());
      out.append(" | ").append(percent(v.row().published()));
      out.append(" | ").append(error(v, Table.Measure.LAST));
      if (lowest) {
        out.append(" | ").append(isLowest(v) ? error(v, Table.Measure.LOWEST) : "");
      }
      out.append(" | ").append(number(100 * pruned(v))).append(" % | ").append(expected(v));
      out.append(" | ").append(judgement(v));
      out.append(" | ").append(v.outcomes().getFirst().epochs());
      out.append(" | ").append(v.row().protocols().get(protocol).shortened()).append(" |\n");
    }
    out.append('\n').append(seeds()).append("\n\n");
    out.append(provenance.device()).append(", Secateur ").append(provenance.secateur());
    out.append(", Java ").append(provenance.java()).append(", ").append(provenance.time());
    out.append(".\n\nEvery row repeats from `secateur reproduce ").append(table.name());
    out.append("`; its recipes:\n\n```yaml\n");
    for (Verdict v : verdicts) {
      out.append("# ").append(v.row().name()).append('\n');
      String start =
          switch (v.row().start()) {
            case Table.Start.Of(String row) -> "from: " + row;
            case Table.Start.Network(String model, boolean standardize) ->
                "model: " + model + (standardize ? "\nstandardize: true" : "");
          };
      out.append(start).append('\n');
      out.append(v.row().protocols().get(protocol).recipe().toYaml()).append('\n');
    }
    return out.append("```\n").toString();
  }

  private String seeds() {
    List<String> rows = new ArrayList<>();
    for (Verdict v : verdicts) {
      List<String> errors =
          v.outcomes().stream().map(outcome -> number(outcome.errorPercent())).toList();
      rows.add(v.row().name() + ": " + String.join(" ", errors));
    }
    return "By seed: " + String.join("; ", rows) + ".";
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode out = mapper.createObjectNode();
    out.put("table", table.name()).put("title", table.title()).put("source", table.source());
    out.put("protocol", protocol.name().toLowerCase(Locale.ROOT)).put("passed", passed());
    ArrayNode rows = out.putArray("rows");
    for (Verdict v : verdicts) {
      ObjectNode row = rows.addObject().put("name", v.row().name());
      if (!Double.isNaN(v.row().published())) {
        row.put("publishedErrorPercent", v.row().published());
      }
      row.put("meanErrorPercent", v.mean(Table.Measure.LAST));
      if (v.outcomes().size() > 1) {
        row.put("deviation", v.deviation(Table.Measure.LAST));
      }
      if (isLowest(v)) {
        row.put("lowestMeanErrorPercent", v.mean(Table.Measure.LOWEST));
      }
      row.put("expected", expected(v)).put("passed", v.passed());
      row.put("recipe", v.row().protocols().get(protocol).recipe().toYaml());
      row.set("outcomes", mapper.valueToTree(v.outcomes()));
    }
    out.set("provenance", provenance.toJson());
    return out;
  }

  /** Writes {@code NAME-PROTOCOL.md} and {@code .json} into a folder. */
  public void write(Path folder) throws IOException {
    String stem = table.name() + "-" + protocol.name().toLowerCase(Locale.ROOT);
    AtomicFile.write(folder.resolve(stem + ".md"), markdown());
    AtomicFile.write(folder.resolve(stem + ".json"), json().toPrettyString());
  }

  private static String error(Verdict v, Table.Measure measure) {
    double deviation = v.deviation(measure);
    return number(v.mean(measure)) + (Double.isNaN(deviation) ? "" : " ± " + number(deviation));
  }

  private static boolean isLowest(Verdict v) {
    return v.row().measure() == Table.Measure.LOWEST;
  }

  private boolean measuresLowest() {
    return verdicts.stream().anyMatch(ReproductionReport::isLowest);
  }

  /** A smoke test expects nothing of errors. */
  private String expected(Verdict v) {
    String text = v.row().expected().text();
    if (protocol == Protocol.Kind.QUICK || text.isEmpty()) {
      return "";
    }
    return isLowest(v) ? "lowest " + text : text;
  }

  private String judgement(Verdict v) {
    if (protocol == Protocol.Kind.QUICK || v.row().expected() instanceof Expectation.None) {
      return "";
    }
    return v.passed() ? "pass" : "FAIL";
  }

  private static double pruned(Verdict v) {
    return v.outcomes().stream().mapToDouble(Outcome::sparsity).average().orElse(0);
  }

  private static String percent(double value) {
    return Double.isNaN(value) ? "" : number(value) + " %";
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
