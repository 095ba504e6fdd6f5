package io.github.secateur.report;

import io.github.secateur.io.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A report as one HTML file that holds all it needs: style, script, chart library and data. It
 * loads nothing; its content security policy forbids it to. Tables are plain markup, so that they
 * are there without JavaScript; charts are drawn by Chart.js from the report's JSON.
 */
public final class HtmlReport {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{([a-z]+)}}");
  private static final Pattern SOURCE_MAP = Pattern.compile("(?m)^//# sourceMappingURL=.*$");

  private HtmlReport() {}

  /**
   * Writes a report; the file appears whole or not at all.
   *
   * @throws IOException naming the file that cannot be written
   */
  public static void write(Report report, Path file) throws IOException {
    AtomicFile.write(file, toText(report));
  }

  /** The page. */
  public static String toText(Report report) {
    Headline headline = new Headline(report);
    HtmlSections sections = new HtmlSections(report, headline);
    Map<String, String> parts =
        Map.of(
            "title", Html.escape(report.title()),
            "headline", Html.escape(headline.sentence()),
            "body", sections.all(),
            "style", resource("report.css"),
            "data", Html.scriptJson(JsonReport.toTree(report).toString()),
            "chart", chartLibrary(),
            "script", resource("report.js"));
    return PLACEHOLDER
        .matcher(resource("report.html"))
        .replaceAll(found -> Matcher.quoteReplacement(parts.get(found.group(1))));
  }

  /** Chart.js from its WebJar, without the reference to a source map that is not here. */
  private static String chartLibrary() {
    Properties facts = new Properties();
    String jar = "/META-INF/maven/org.webjars.npm/chart.js/pom.properties";
    try (InputStream in = open(jar)) {
      facts.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + jar, e);
    }
    String script =
        read(
            "/META-INF/resources/webjars/chart.js/"
                + facts.getProperty("version")
                + "/dist/chart.umd.js");
    return SOURCE_MAP.matcher(script).replaceAll("").strip();
  }

  private static String resource(String name) {
    return read("/io/github/secateur/report/" + name);
  }

  private static String read(String path) {
    try (InputStream in = open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path, e);
    }
  }

  private static InputStream open(String path) {
    InputStream in = HtmlReport.class.getResourceAsStream(path);
    if (in == null) {
      throw new IllegalStateException(path + " is not on the class path");
    }
    return in;
  }
}
