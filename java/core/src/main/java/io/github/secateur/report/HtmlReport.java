package io.github.secateur.report;

import io.github.secateur.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A report as one HTML file that holds all it needs and loads nothing. Tables are plain markup, so
 * that they are there without JavaScript; charts are drawn by Chart.js from the report's JSON.
 */
public final class HtmlReport {
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
    return new HtmlPage(
            "Secateur report",
            report.title(),
            headline.sentence(),
            new HtmlSections(report, headline).all(),
            JsonReport.toTree(report).toString(),
            "report.js")
        .toText();
  }
}
