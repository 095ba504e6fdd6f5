package io.github.secateur.reproduce;

import io.github.secateur.recipe.RecipeException;
import io.github.secateur.recipe.RecipeReader;
import io.github.secateur.recipe.YamlSection;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads tables: those that come with Secateur by name, others from YAML files of the same form. A
 * table has {@code title}, {@code source} and {@code rows}; a row {@code name}, {@code model} (with
 * {@code standardize: true} where its inputs are) or {@code from}, {@code published}, {@code
 * measure} ({@code last} or {@code lowest} of all epochs), {@code expect}, and the protocols {@code
 * paper}, {@code budget} and {@code quick}, each a recipe with an optional {@code shortened}.
 */
public final class TableReader {
  /** Tables that come with Secateur. */
  public static final List<String> NAMES = List.of("han", "snip", "lottery-ticket", "dynamic");

  private static final Set<String> ROW =
      Set.of(
          "name",
          "model",
          "standardize",
          "from",
          "published",
          "measure",
          "expect",
          "paper",
          "budget",
          "quick");
  private static final Pattern AT_MOST = Pattern.compile("at most ([0-9.]+)");
  private static final Pattern ABOVE = Pattern.compile("at most ([0-9.]+) above (.+)");
  private static final Pattern BELOW = Pattern.compile("below (.+)");

  private TableReader() {}

  /**
   * The table of a name, or in a file.
   *
   * @throws RecipeException naming file and line of what is wrong, or the names that there are
   */
  public static Table read(String nameOrFile) throws IOException {
    if (NAMES.contains(nameOrFile)) {
      String resource = nameOrFile + ".yaml";
      try (InputStream in = TableReader.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IllegalStateException(resource + " is not on the class path");
        }
        return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), nameOrFile, resource);
      }
    }
    Path file = Path.of(nameOrFile);
    if (!Files.isRegularFile(file)) {
      throw new RecipeException(
          "there is no table '%s'; there are %s, or name a YAML file of your own"
              .formatted(nameOrFile, String.join(", ", NAMES)));
    }
    String name = file.getFileName().toString().replaceFirst("\\.ya?ml$", "");
    return parse(Files.readString(file), name, nameOrFile);
  }

  static Table parse(String text, String name, String file) {
    YamlSection top =
        YamlSection.parse(text, file, "table: it should have a title, a source and rows");
    top.requireKnown(Set.of("title", "source", "rows"));
    List<Table.Row> rows = new ArrayList<>();
    Set<String> before = new HashSet<>();
    for (YamlSection row : top.sections("rows")) {
      Table.Row read = row(row, before);
      if (!before.add(read.name())) {
        throw new RecipeException(row.where("name") + " is the name of two rows; change one");
      }
      rows.add(read);
    }
    return new Table(name, top.text("title"), top.text("source"), rows);
  }

  private static Table.Row row(YamlSection section, Set<String> before) {
    section.requireKnown(ROW);
    String name = section.text("name");
    String from = section.has("from") ? section.text("from") : "";
    if (!from.isEmpty() && !before.contains(from)) {
      throw new RecipeException(section.where("from") + " names no row before this one");
    }
    if (from.isEmpty() == !section.has("model")) {
      throw new RecipeException(
          section.where("name") + " needs a model or a row that it comes from, not both");
    }
    Map<Protocol.Kind, Protocol> protocols = new EnumMap<>(Protocol.Kind.class);
    for (Protocol.Kind kind : Protocol.Kind.values()) {
      protocols.put(kind, protocol(section.section(kind.name().toLowerCase(Locale.ROOT))));
    }
    Table.Measure measure = measure(section);
    Expectation expected =
        section.has("expect") ? expectation(section, before) : new Expectation.None();
    boolean alone = expected instanceof Expectation.None || expected instanceof Expectation.AtMost;
    if (measure == Table.Measure.LOWEST && !alone) {
      throw new RecipeException(
          section.where("measure")
              + " lowest goes with 'at most ERROR'; rows are compared after the last epoch");
    }
    return new Table.Row(
        name,
        from.isEmpty()
            ? new Table.Start.Network(section.text("model"), standardized(section))
            : new Table.Start.Of(from),
        section.has("published") ? number(section, "published") : Double.NaN,
        measure,
        expected,
        protocols);
  }

  private static boolean standardized(YamlSection section) {
    String text = section.has("standardize") ? section.text("standardize") : "false";
    if (!text.equals("true") && !text.equals("false")) {
      throw new RecipeException(section.where("standardize") + " takes true or false");
    }
    return text.equals("true");
  }

  private static Table.Measure measure(YamlSection section) {
    String text = section.has("measure") ? section.text("measure") : "last";
    return switch (text) {
      case "last" -> Table.Measure.LAST;
      case "lowest" -> Table.Measure.LOWEST;
      default ->
          throw new RecipeException(
              section.where("measure")
                  + " takes last or lowest, the test error after the last epoch or the lowest of"
                  + " all");
    };
  }

  private static Protocol protocol(YamlSection section) {
    return new Protocol(
        RecipeReader.of(section, Set.of("shortened")),
        section.has("shortened") ? section.text("shortened") : "");
  }

  private static Expectation expectation(YamlSection section, Set<String> before) {
    String text = section.text("expect");
    Matcher above = ABOVE.matcher(text);
    if (above.matches()) {
      return new Expectation.Above(
          Double.parseDouble(above.group(1)), known(section, above.group(2), before));
    }
    Matcher most = AT_MOST.matcher(text);
    if (most.matches()) {
      return new Expectation.AtMost(Double.parseDouble(most.group(1)));
    }
    Matcher below = BELOW.matcher(text);
    if (below.matches()) {
      return new Expectation.Below(known(section, below.group(1), before));
    }
    throw new RecipeException(
        section.where("expect")
            + " takes 'at most ERROR', 'at most POINTS above ROW' or 'below ROW', got '"
            + text
            + "'");
  }

  private static String known(YamlSection section, String row, Set<String> before) {
    if (!before.contains(row)) {
      throw new RecipeException(
          section.where("expect") + " names '" + row + "', which is no row before this one");
    }
    return row;
  }

  private static double number(YamlSection section, String name) {
    try {
      return Double.parseDouble(section.text(name));
    } catch (NumberFormatException e) {
      throw new RecipeException(section.where(name) + " should be a number", e);
    }
  }
}
