package io.github.secateur.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.report.TerminalTable.Align;
import io.github.secateur.report.TerminalTable.Style;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalTableTest {
  private static TerminalTable sample(Style style) {
    return new TerminalTable(style)
        .column("layer", Align.LEFT)
        .column("µs", Align.RIGHT)
        .column("gain", Align.AUTO)
        .column("runs", Align.AUTO)
        .row("fc1", "12.5", "2.00×", "panels")
        .row("a longer name", null, "10.50×", null);
  }

  @Test
  void unicodeGolden() {
    assertEquals(
        """
        layer            µs    gain  runs
        ─────────────  ────  ──────  ──────
        fc1            12.5   2.00×  panels
        a longer name     –  10.50×  –
        """,
        sample(Style.UNICODE).format());
  }

  @Test
  void asciiGolden() {
    assertEquals(
        """
        layer            us    gain  runs
        -------------  ----  ------  ------
        fc1            12.5   2.00x  panels
        a longer name     -  10.50x  -
        """,
        sample(Style.ASCII).format());
  }

  @Test
  void lineBreaksAndForeignSignsStayInTheirRow() {
    String text =
        new TerminalTable(Style.ASCII).column("name", Align.LEFT).row("a\r\n\u001b[31mé").format();
    assertEquals("name\n--------\na [31m?\n".replace("--------", "-------"), text);
  }

  @Test
  void countsCodePointsNotChars() {
    String text =
        new TerminalTable(Style.UNICODE)
            .column("𝛼", Align.LEFT)
            .column("n", Align.RIGHT)
            .row("𝛼𝛽", "1")
            .format();
    assertEquals("𝛼   n\n──  ─\n𝛼𝛽  1\n", text);
  }

  @Test
  void refusesRowsThatDoNotFit() {
    TerminalTable table = new TerminalTable(Style.ASCII).column("one", Align.LEFT);
    assertThrows(IllegalArgumentException.class, () -> table.row("a", "b"));
    table.row("a");
    assertThrows(IllegalStateException.class, () -> table.column("late", Align.LEFT));
  }

  @Test
  void styleFollowsTheCharacterSet() {
    assertEquals(Style.UNICODE, Style.of(StandardCharsets.UTF_8, false));
    assertEquals(Style.ASCII, Style.of(StandardCharsets.UTF_8, true));
    assertEquals(Style.ASCII, Style.of(StandardCharsets.ISO_8859_1, false));
  }

  @Test
  void comparisonGolden() {
    List<String> lines =
        ComparisonTables.format(SampleReport.full(), Style.UNICODE).lines().toList();
    assertEquals(
        """
        sparsity  magnitude error %  activation (neurons) error %  L1 penalty error %
        ────────  ─────────────────  ────────────────────────────  ──────────────────
           dense      1.74                          1.74                1.74
            50 %      1.71  (-0.03)                 1.78  (+0.04)       1.69  (-0.05)
            80 %      1.74  (+0.00)                 2.12  (+0.38)       1.76  (+0.02)
            90 %      1.79  (+0.05)                 3.45  (+1.71)       1.84  (+0.10)
            95 %      1.98  (+0.24)                 9.80  (+8.06)       2.07  (+0.33)
            98 %      2.61  (+0.87)      collapsed 88.65 (+86.91)              failed
        """,
        String.join("\n", lines.subList(0, 8)) + "\n");
    assertTrue(
        lines.contains(
            "magnitude              90 %  90.37 %    25,623   123 kB   322 kB       816        392"
                + "     2.08×"),
        String.join("\n", lines));
    assertTrue(lines.contains("L1 penalty at 98 % failed: loss became NaN in epoch 3"));
  }

  @Test
  void comparisonFitsHundredColumns() {
    for (Style style : Style.values()) {
      for (String line : ComparisonTables.format(SampleReport.full(), style).lines().toList()) {
        assertTrue(line.length() <= 100, line.length() + ": " + line);
        assertFalse(line.endsWith(" "), line);
      }
    }
  }

  @Test
  void comparisonInAsciiHasNoOtherSigns() {
    String text = ComparisonTables.format(SampleReport.full(), Style.ASCII);
    assertTrue(StandardCharsets.US_ASCII.newEncoder().canEncode(text), text);
  }

  @Test
  void nothingMeasuredGivesNoTable() {
    assertEquals("", ComparisonTables.format(SampleReport.empty(), Style.UNICODE));
  }
}
