package io.github.secateur.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A page that holds all it needs: style, script, chart library and data. It loads nothing; its
 * content security policy forbids it to.
 *
 * @param brand what kind of page it is
 * @param title what it is about
 * @param headline one sentence
 * @param body markup of the sections
 * @param data JSON that the script draws
 * @param script name of the resource that gives the figures
 */
record HtmlPage(
    String brand, String title, String headline, String body, String data, String script) {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{([a-z]+)}}");
  private static final Pattern SOURCE_MAP = Pattern.compile("(?m)^//# sourceMappingURL=.*$");

  /** The whole page. */
  String toText() {
    Map<String, String> parts =
        Map.of(
            "brand", Html.escape(brand),
            "title", Html.escape(title),
            "headline", Html.escape(headline),
            "body", body,
            "style", resource("report.css"),
            "data", Html.scriptJson(data),
            "chart", chartLibrary(),
            "script", resource("charts.js") + resource(script));
    return PLACEHOLDER
        .matcher(resource("page.html"))
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
    InputStream in = HtmlPage.class.getResourceAsStream(path);
    if (in == null) {
      throw new IllegalStateException(path + " is not on the class path");
    }
    return in;
  }
}
