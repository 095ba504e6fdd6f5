package io.github.secateur.prune;

import io.github.secateur.recipe.PruneSettings;
import io.github.secateur.recipe.Settings;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The README's table of criteria and methods by patterns: rows and columns in the words of recipes
 * and flags, and what {@link CriterionPatternContract} found in each cell.
 */
final class CriterionPatternTable {
  static final double SPARSITY = 0.5;
  private static final String BEGIN = "<!-- criteria -->\n";
  private static final String END = "<!-- end of criteria -->\n";
  private static final Path README = Path.of("..", "..", "README.md");

  /**
   * A row or a column.
   *
   * @param label as the README shows it
   * @param settings of one or several recipes; all of them work, or none
   */
  record Line(String label, List<Map<String, String>> settings) {}

  private static final List<Line> COLUMNS =
      List.of(
          line("`unstructured`", "pattern: unstructured"),
          line("`N:M`", "pattern: 2:4"),
          line("`N:M`, `axis: output`", "pattern: 2:5, axis: output"),
          line(
              "`N:M`, `permute`",
              "pattern: 2:4, permute: true",
              "pattern: 1:3, permute: true, axis: output"),
          line("`RxC`", "pattern: 4x1", "pattern: 2x3"),
          line("`rows`, `columns`", "pattern: rows", "pattern: columns"),
          line("`neuron`, `channel`", "pattern: neuron", "pattern: channel, round-to: 2"));

  /** Scores of one's own come from a file; the contract test puts them in. */
  static final Line OWN_SCORES = line("`scores`", "criterion: magnitude");

  private static final List<Line> ROWS =
      List.of(
          line(
              "`magnitude`",
              "criterion: magnitude, norm: L1",
              "criterion: magnitude, norm: L2",
              "criterion: magnitude, norm: inf"),
          line("`random`", "criterion: random"),
          OWN_SCORES,
          line("`snip`", "criterion: snip, calibration: 8"),
          line(
              "`reinitialize` (`snip`, `grasp`, `synflow`)",
              "criterion: snip, calibration: 8, reinitialize: true",
              "criterion: grasp, calibration: 8, reinitialize: true",
              "criterion: synflow, rounds: 1, reinitialize: true"),
          line("`taylor`", "criterion: taylor, calibration: 8"),
          line("`fisher`", "criterion: fisher, calibration: 8"),
          line(
              "`magnitude` of other norms",
              "criterion: magnitude, norm: 0.5",
              "criterion: magnitude, norm: 3"),
          line("`grasp`", "criterion: grasp, calibration: 8"),
          line("`synflow`", "criterion: synflow, rounds: 1"),
          line("`wanda`", "criterion: wanda, calibration: 8"),
          line("`lamp`", "criterion: lamp"),
          line(
              "`activation`",
              "criterion: activation, calibration: 8, statistic: mean",
              "criterion: activation, calibration: 8, statistic: mean-abs",
              "criterion: activation, calibration: 8, statistic: rms",
              "criterion: activation, calibration: 8, statistic: apoz"),
          line("`norm-scale`", "criterion: norm-scale"),
          line("`geometric-median`", "criterion: geometric-median"),
          line("`l1`", "method: l1"),
          line("`str`", "method: str"),
          line("`top-kast`", "method: top-kast, every: 3"),
          line("`movement`", "method: movement, every: 3"),
          line("`soft-movement`", "method: soft-movement, every: 3"),
          line("`set`", "method: set, every: 3"),
          line("`rigl`", "method: rigl, every: 3"),
          line("`sparse-momentum`", "method: sparse-momentum, every: 3"),
          line("`lottery-ticket`", "method: lottery-ticket, rounds: 2"),
          line("`dense-sparse-dense`", "method: dense-sparse-dense"),
          line("`ac-dc`", "method: ac-dc, phase-epochs: 1"),
          line("`gates`", "method: gates"),
          line("`group-lasso`", "method: group-lasso"),
          line("`sparsegpt`", "method: sparsegpt, calibration: 24"),
          line("`obc`", "method: obc, calibration: 24"),
          line("`admm`", "method: admm"));

  private static Line line(String label, String... recipes) {
    return new Line(label, Stream.of(recipes).map(CriterionPatternTable::settings).toList());
  }

  /** {@code name: value, name: value}. */
  private static Map<String, String> settings(String recipe) {
    return Stream.of(recipe.split(", ", -1))
        .map(setting -> setting.split(": ", 2))
        .collect(Collectors.toMap(setting -> setting[0], setting -> setting[1]));
  }

  static List<Line> rows() {
    return ROWS;
  }

  static List<Line> columns() {
    return COLUMNS;
  }

  /** What the recipe of a cell comes to. */
  static PruneOptions options(Map<String, String> row, Map<String, String> column) {
    Map<String, String> all = new HashMap<>(row);
    all.putAll(column);
    if (row.containsKey("criterion")) {
      all.put("schedule", "one-shot");
    }
    boolean single =
        row.containsKey("method")
            && !row.get("method").equals("group-lasso")
            && column.get("pattern").equals("unstructured");
    if (single) {
      all.remove("pattern"); // what the methods do without one; some know no other
    }
    boolean follows =
        column.get("pattern").contains(":")
            && List.of("", "sparsegpt", "obc", "admm").contains(row.getOrDefault("method", ""));
    if (!follows) { // the sparsity of N:M follows from it
      all.put("sparsity", Double.toString(SPARSITY));
    }
    Settings settings = new Settings();
    all.forEach((name, value) -> settings.put(name, value, name + ": " + value));
    TrainOptions fit =
        new TrainOptions(
            4, 10, Optimizer.Adam.defaults(), new LearningRate.Constant(5e-3f), 5, 0, List.of());
    return PruneSettings.options(settings, 1, fit, null);
  }

  private final Map<Line, Map<Line, Boolean>> found = new LinkedHashMap<>();

  /** Fills a cell. */
  void add(Line row, Line column, boolean works) {
    found.computeIfAbsent(row, r -> new HashMap<>()).put(column, works);
  }

  /** The cells of a row; ? where nothing was found. */
  private String cells(Line row) {
    StringBuilder text = new StringBuilder();
    for (Line column : COLUMNS) {
      Boolean works = found.getOrDefault(row, Map.of()).get(column);
      text.append(works == null ? " ? |" : works ? " ✓ |" : " – |");
    }
    return text.toString();
  }

  /** Rows of the same cells are one. */
  private String markdown() {
    Map<String, List<String>> labels = new LinkedHashMap<>();
    ROWS.forEach(
        row -> labels.computeIfAbsent(cells(row), c -> new ArrayList<>()).add(row.label()));
    StringBuilder text = new StringBuilder("| |");
    COLUMNS.forEach(column -> text.append(' ').append(column.label()).append(" |"));
    text.append("\n|---|").append(":-:|".repeat(COLUMNS.size())).append('\n');
    labels.forEach(
        (cells, names) -> text.append("| %s |%s\n".formatted(String.join(", ", names), cells)));
    return text.toString();
  }

  /** Compares with the README's. */
  void requireReadme() throws IOException {
    String readme = Files.readString(README);
    int begin = readme.indexOf(BEGIN);
    int end = readme.indexOf(END);
    String shown = begin < 0 || end < begin ? "" : readme.substring(begin + BEGIN.length(), end);
    if (!shown.equals(markdown())) {
      throw new AssertionError(
          "README.md's table of criteria should be, between %s and %s:\n%s"
              .formatted(BEGIN.strip(), END.strip(), markdown()));
    }
  }
}
