package io.github.secateur.reproduce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.recipe.FitSettings;
import io.github.secateur.recipe.PruneSettings;
import io.github.secateur.recipe.Recipe;
import io.github.secateur.recipe.RecipeException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class TableReaderTest {
  static final List<String> NAMES = TableReader.NAMES;

  private static final String HEAD = "title: t\nsource: s\nrows:\n";
  private static final String PROTOCOLS = "    paper: {}\n    budget: {}\n    quick: {}\n";

  @ParameterizedTest
  @FieldSource("NAMES")
  void everyTableThatComesWithItIsWhole(String name) throws Exception {
    Table table = TableReader.read(name);
    assertFalse(table.rows().isEmpty());
    boolean judged = false;
    for (Table.Row row : table.rows()) {
      judged |= !(row.expected() instanceof Expectation.None);
      for (Protocol.Kind kind : Protocol.Kind.values()) {
        Protocol protocol = row.protocols().get(kind);
        Recipe recipe = protocol.recipe();
        assertFalse(
            recipe.train().names().isEmpty() && recipe.prune().names().isEmpty(), row.name());
        FitSettings.options(recipe.train(), 1, 1);
        if (!recipe.prune().names().isEmpty()) {
          PruneSettings.options(
              recipe.prune(), 1, FitSettings.options(recipe.fineTune(), 1, 1), null);
        }
        assertEquals(kind == Protocol.Kind.BUDGET, !protocol.shortened().isEmpty(), row.name());
      }
    }
    assertTrue(judged, "a table that expects nothing shows nothing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "  - name: a\\n    model: m\\n    size: 3\\n|t.yaml line 6: 'size' is no setting",
        "  - name: a\\n    from: b\\n|t.yaml line 5: 'from' names no row before this one",
        "  - name: a\\n|needs a model or a row",
        "  - name: a\\n"
            + "    model: m\\n"
            + "    standardize: 1\\n"
            + "|t.yaml line 6: 'standardize' takes true or",
        "  - name: a\\n    model: m\\n    expect: good\\n|t.yaml line 6: 'expect' takes 'at most",
        "  - name: a\\n    model: m\\n    expect: below b\\n|which is no row before this one",
        "  - name: a\\n"
            + "    model: m\\n"
            + "    measure: best\\n"
            + "|t.yaml line 6: 'measure' takes last or lowest",
        "  - name: a\\n    model: m\\n    published: low\\n|t.yaml line 6: 'published' should be a"
      })
  void mistakesAreNamedWithTheirLine(String row, String wanted) {
    String text = HEAD + "  " + row.replace("\\n", "\n") + PROTOCOLS;
    String message =
        assertThrows(RecipeException.class, () -> TableReader.parse(text, "t", "t.yaml"))
            .getMessage();
    assertTrue(message.contains(wanted), message);
  }

  @Test
  void whatIsMissingIsNamedWithTheLineOfItsSection() {
    String first = "  - name: a\n    model: m\n" + PROTOCOLS;
    String second = "  - name: b\n    model: m\n";
    int line = (int) (HEAD + first).lines().count() + 1;
    for (String missing : List.of("paper", "name")) {
      String text = HEAD + first + (missing.equals("name") ? "  - model: m\n" : second);
      String message =
          assertThrows(RecipeException.class, () -> TableReader.parse(text, "t", "t.yaml"))
              .getMessage();
      assertEquals(
          "t.yaml line %d: '%s' is missing in the section that begins here"
              .formatted(line, missing),
          message);
    }
  }

  @Test
  void anUnknownTableIsNamedWithThoseThereAre() {
    String message =
        assertThrows(RecipeException.class, () -> TableReader.read("hann")).getMessage();
    assertTrue(message.contains("han, snip, lottery-ticket, dynamic"), message);
  }

  private static Table.Row row(String name, Expectation expected) {
    return new Table.Row(
        name,
        new Table.Start.Network("m", false),
        Double.NaN,
        Table.Measure.LAST,
        expected,
        Map.of());
  }

  private static boolean passes(Expectation expected, double... errors) {
    List<Outcome> all =
        List.of(
            new Outcome("a", 1, errors[0], null, 0.9, 1, 1),
            new Outcome("a", 2, errors[1], null, 0.9, 1, 1),
            new Outcome("b", 1, errors[2], null, 0, 1, 1),
            new Outcome("b", 2, errors[3], null, 0, 1, 1));
    return Verdict.of(row("a", expected), all).passed();
  }

  @Test
  void theLowestOfAllEpochsIsNotComparedWithAnotherRow() {
    String other = "  - name: a\n    model: m\n" + PROTOCOLS;
    String own = "  - name: b\n    from: a\n    measure: lowest\n    expect: below a\n";
    String message =
        assertThrows(
                RecipeException.class,
                () -> TableReader.parse(HEAD + other + own + PROTOCOLS, "t", "t.yaml"))
            .getMessage();
    assertTrue(message.contains("t.yaml line 11: 'measure' lowest goes with"), message);
  }

  @Test
  void aRowIsJudgedByItsMeasure() {
    Table.Row lowest =
        new Table.Row(
            "a",
            new Table.Start.Network("m", false),
            1,
            Table.Measure.LOWEST,
            new Expectation.AtMost(1.5),
            Map.of());
    List<Outcome> outcomes =
        List.of(new Outcome("a", 1, 2, 1.4, 0, 1, 1), new Outcome("a", 2, 2.5, 1.6, 0, 1, 1));
    Verdict v = Verdict.of(lowest, outcomes);
    assertTrue(v.passed());
    assertEquals(2.25, v.mean(Table.Measure.LAST));
    assertEquals(1.5, v.mean(Table.Measure.LOWEST));
    assertEquals(0.2 / Math.sqrt(2), v.deviation(Table.Measure.LOWEST), 1e-12);
  }

  @Test
  void meansAreJudgedNotSingleSeeds() {
    assertTrue(passes(new Expectation.AtMost(2), 1.5, 2.5, 0, 0));
    assertFalse(passes(new Expectation.AtMost(2), 1.5, 2.52, 0, 0));
    assertTrue(passes(new Expectation.Above(0.15, "b"), 1.75, 1.85, 1.6, 1.7));
    assertFalse(passes(new Expectation.Above(0.15, "b"), 1.76, 1.86, 1.6, 1.7));
    assertTrue(passes(new Expectation.Below("b"), 2, 1, 1.7, 1.4));
    assertFalse(passes(new Expectation.Below("b"), 2, 1, 1.5, 1.5));
    Verdict v =
        Verdict.of(
            row("a", new Expectation.None()),
            List.of(new Outcome("a", 1, 1, null, 0, 1, 1), new Outcome("a", 2, 3, null, 0, 1, 1)));
    assertEquals(2, v.mean(Table.Measure.LAST));
    assertEquals(Math.sqrt(2), v.deviation(Table.Measure.LAST), 1e-12);
  }
}
