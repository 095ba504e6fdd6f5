package io.github.secateur.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.sparse.SparseChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {
  private static final Pattern DATA =
      Pattern.compile("<script type=\"application/json\" id=\"report-data\">(.*?)</script>");

  @TempDir Path folder;

  @Test
  void loadsNothing() {
    String page = HtmlReport.toText(SampleReport.full());
    for (String loading :
        List.of(
            "(?i)\\s(src|href|srcset|action|poster|data)\\s*=\\s*[\"']?\\s*\\w",
            "(?i)<link\\b",
            "(?i)<(iframe|img|object|embed|base)\\b",
            "(?i)@import",
            "\\burl\\(",
            "sourceMappingURL",
            "\\bfetch\\(",
            "XMLHttpRequest",
            "\\bimport\\(",
            "WebSocket")) {
      Matcher found = Pattern.compile(loading).matcher(page);
      assertFalse(
          found.find(),
          () ->
              loading
                  + " at "
                  + page.substring(found.start(), Math.min(page.length(), found.end() + 60)));
    }
    assertTrue(page.contains("default-src 'none'"));
  }

  @Test
  void holdsTheChartLibraryAndEveryFigure() {
    String page = HtmlReport.toText(SampleReport.full());
    assertTrue(page.contains("Chart.js v"));
    for (String id : List.of("error", "curves", "layers", "histograms", "latency", "sizes")) {
      assertTrue(page.contains("<figure id=\"" + id + "\">"), id);
    }
    assertFalse(page.contains("{{"), "a placeholder is left");
  }

  @Test
  void dataInThePageIsTheReport() throws IOException {
    String page = HtmlReport.toText(SampleReport.full());
    assertEquals(new ObjectMapper().readTree(JsonReport.toText(SampleReport.full())), data(page));
  }

  @Test
  void hostileTextStaysText() throws IOException {
    String hostile = "</script><script>alert(1)</script><!--\u2028\u2029\"'&{{script}}$1\\";
    Report report = SampleReport.full(hostile);
    String page = HtmlReport.toText(report);
    String plain = HtmlReport.toText(SampleReport.full());
    assertEquals(count(plain, "<script"), count(page, "<script"));
    assertEquals(count(plain, "</script"), count(page, "</script"));
    assertEquals(count(plain, "<!--"), count(page, "<!--"));
    assertFalse(page.contains("alert(1)</script>"));
    assertFalse(DATA.matcher(page).results().anyMatch(r -> r.group(1).contains("\u2028")));
    assertEquals(hostile, data(page).at("/model/name").asText());
    assertTrue(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
  }

  @Test
  void partsThatWereNotMeasuredAreLeftOut() {
    String page = HtmlReport.toText(SampleReport.empty());
    assertFalse(page.contains("<figure"));
    assertFalse(page.contains("<section"));
    String shown = page.substring(page.indexOf("<body>"), page.indexOf("<script"));
    assertFalse(shown.contains("null"), shown);
    Report failed =
        new Report(
            "all failed",
            "c",
            null,
            null,
            null,
            List.of(Cell.failed("magnitude", 0.9, "no memory")),
            null,
            null,
            null,
            null,
            null);
    String failure = HtmlReport.toText(failed);
    assertTrue(failure.contains("magnitude at 90&nbsp;% failed: no memory"));
    assertFalse(failure.contains("<figure"));
  }

  @Test
  void bestIsFramedAndCollapsedIsShown() {
    String page = HtmlReport.toText(SampleReport.full());
    assertEquals(5, count(page, "<td class=\"best\">"));
    assertEquals(1, count(page, "<td class=\"bad\"><span class=\"badge\">collapsed</span>"));
    assertTrue(page.contains("88.65&nbsp;%"));
  }

  @Test
  void headlineSaysTheSparsestCellThatHolds() {
    assertEquals(
        "With 90 % of its weights removed (magnitude), lenet-300-100 reaches 1.79 % test error,"
            + " 0.05 points above the dense network (1.74 %). A forward pass of 256 samples takes"
            + " 392 µs instead of 816 µs.",
        new Headline(SampleReport.full()).sentence());
    assertEquals(
        "No pruned network was compared with a dense one.",
        new Headline(SampleReport.empty()).sentence());
  }

  @Test
  void layersShowAllFormatsAndWhereTheyWouldPay() {
    String page = HtmlReport.toText(SampleReport.full());
    assertTrue(page.matches("(?s).*<td class=\"text\">csr [0-9.,]+, 4x1 [0-9.,]+</td>.*"));
    assertEquals(3, count(page, "<td>81&nbsp;%</td>"));
    assertEquals(3, count(page, "<td>none</td>"));
    assertTrue(page.contains("Times marked * are of an earlier run on this device."));
    assertTrue(page.matches("(?s).*<td>[0-9.,]+\\*</td>.*"));
  }

  @Test
  void breakEvenInWords() {
    assertEquals("never sparse", HtmlSections.breakEven(choices(false, false)));
    assertEquals("always sparse", HtmlSections.breakEven(choices(true, true)));
    assertEquals("sparse up to batch 1", HtmlSections.breakEven(choices(true, false, false)));
    assertEquals("sparse from batch 10", HtmlSections.breakEven(choices(false, true, true)));
    assertEquals("sparse at batch 1, 100", HtmlSections.breakEven(choices(true, false, true)));
  }

  private static List<SparseChoice> choices(boolean... chosen) {
    SparseChoice[] list = new SparseChoice[chosen.length];
    long batch = 1;
    for (int i = 0; i < chosen.length; i++, batch *= 10) {
      list[i] = new SparseChoice("fc", batch, 0.9, 2, 1, chosen[i], "csr", 8);
    }
    return List.of(list);
  }

  @Test
  void writesTheFile() throws IOException {
    Path file = folder.resolve("report.html");
    HtmlReport.write(SampleReport.full(), file);
    assertEquals(HtmlReport.toText(SampleReport.full()), Files.readString(file));
    try (var left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  private static JsonNode data(String page) throws IOException {
    Matcher found = DATA.matcher(page);
    assertTrue(found.find());
    return new ObjectMapper().readTree(found.group(1));
  }

  private static int count(String text, String part) {
    return (text.length() - text.replace(part, "").length()) / part.length();
  }
}
