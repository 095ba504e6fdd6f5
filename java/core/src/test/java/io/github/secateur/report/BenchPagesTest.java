package io.github.secateur.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.measure.Bench;
import io.github.secateur.measure.BenchReport;
import io.github.secateur.measure.BenchResult;
import io.github.secateur.measure.MatrixBench;
import io.github.secateur.measure.WeightMatrix;
import io.github.secateur.measure.WeightMatrix.Layer;
import io.github.secateur.measure.ZeroPattern;
import io.github.secateur.sparse.Stopwatch;
import io.github.secateur.train.Progress;
import io.github.secateur.train.Provenance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A benchmark's JSON and page. */
class BenchPagesTest {
  private static final Pattern DATA =
      Pattern.compile("<script type=\"application/json\" id=\"report-data\">(.*?)</script>");

  private static BenchReport report(String... names) throws Exception {
    List<WeightMatrix> matrices = new ArrayList<>();
    for (String name : names) {
      for (double sparsity : new double[] {0.5, 0.75}) {
        matrices.add(
            WeightMatrix.of(new Layer(name, 8, 12, 1), new ZeroPattern.Random(), sparsity, 1));
      }
    }
    MatrixBench.Options options =
        new MatrixBench.Options(new Stopwatch.Options(1, 0), 1e-4, List.of());
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      Provenance provenance = Provenance.of(device, 1, Map.of("samples", "1"), Map.of());
      Bench.Plan plan =
          new Bench.Plan(names[0], null, matrices, List.of(1L, 3L), options, List.of());
      return Bench.run(device, plan, List.of(), provenance, Progress.NONE);
    }
  }

  @Test
  void jsonHasEveryField() throws Exception {
    BenchReport report = report("a", "b");
    JsonNode json = BenchJson.toTree(report);
    assertEquals(BenchReport.SCHEMA, json.get("schema").asInt());
    assertEquals("bench", json.get("kind").asText());
    assertEquals("cpu", json.at("/device/name").asText());
    assertTrue(json.at("/roofline/peakGflops").asDouble() > 0);
    assertTrue(json.at("/roofline/bandwidthGBs").asDouble() > 0);
    assertEquals(8, json.get("results").size());
    for (JsonNode r : json.get("results")) {
      for (String field :
          List.of("matrix", "pattern", "sparsity", "batch", "columns", "out", "in")) {
        assertTrue(r.hasNonNull(field), field);
      }
      assertEquals("dense", r.at("/products/0/format").asText());
      for (JsonNode p : r.get("products")) {
        assertTrue(p.at("/micros/median").asDouble() > 0);
        for (String field :
            List.of(
                "bytes",
                "usefulGflops",
                "effectiveGflops",
                "intensity",
                "ceilingGflops",
                "ofPeak",
                "ofBandwidth",
                "speedup")) {
          assertTrue(p.get(field).isNumber(), field);
        }
      }
    }
    assertEquals(4, json.get("breakEvens").size());
    for (JsonNode b : json.get("breakEvens")) {
      assertTrue(b.has("sparsity") && b.hasNonNull("pays") && b.hasNonNull("verdict"));
    }
    assertTrue(json.get("batches").isArray() && json.get("notes").isArray());
    assertEquals("1", json.at("/provenance/options/samples").asText());
  }

  @Test
  void pageHoldsEveryCaseAndFigure() throws Exception {
    BenchReport report = report("attention", "feed-forward");
    String page = BenchHtml.toText(report);
    for (BenchResult r : report.results()) {
      for (BenchResult.Product p : r.products()) {
        String cells =
            ("<th scope=\"row\">%s</th><td class=\"text\">random</td><td>%s</td><td>%d</td>"
                    + "<td class=\"text\">%s</td>")
                .formatted(
                    r.matrix(),
                    r.sparsity() == 0.5 ? "50&nbsp;%" : "75&nbsp;%",
                    r.batch(),
                    p.format());
        assertTrue(page.contains(cells), cells);
      }
    }
    report.breakEvens().forEach(b -> assertTrue(page.contains(Html.escape(b.verdict()))));
    boolean crosses = report.breakEvens().stream().anyMatch(b -> b.sparsity() != null);
    assertEquals(crosses, page.contains("<figure id=\"breakeven\">"));
    for (String id : List.of("speedup", "latency", "roofline")) {
      assertTrue(page.contains("<figure id=\"" + id + "\">"), id);
    }
    assertTrue(page.contains("default-src 'none'") && page.contains("Chart.js v"));
    assertFalse(page.contains("{{"), "a placeholder is left");
    assertEquals(new ObjectMapper().readTree(BenchJson.toTree(report).toString()), data(page));
  }

  @Test
  void hostileNamesStayText() throws Exception {
    String hostile = "</script><script>alert(1)</script><!--\u2028\"'&{{script}}$1\\";
    String page = BenchHtml.toText(report(hostile));
    String plain = BenchHtml.toText(report("plain"));
    assertEquals(count(plain, "<script"), count(page, "<script"));
    assertEquals(count(plain, "</script"), count(page, "</script"));
    assertEquals(count(plain, "<!--"), count(page, "<!--"));
    assertEquals(hostile, data(page).at("/results/0/matrix").asText());
  }

  private static JsonNode data(String page) throws Exception {
    Matcher found = DATA.matcher(page);
    assertTrue(found.find());
    return new ObjectMapper().readTree(found.group(1));
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }
}
