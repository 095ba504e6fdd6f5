package io.github.secateur.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** A table in Markdown, written row by row; what was not measured is a dash. */
final class MarkdownTable {
  private final StringBuilder text = new StringBuilder();

  MarkdownTable(String... headers) {
    row(headers);
    row(Arrays.stream(headers).map(h -> "---").toArray(String[]::new));
  }

  MarkdownTable row(String... cells) {
    text.append(Arrays.stream(cells).collect(Collectors.joining(" | ", "| ", " |\n")));
    return this;
  }

  /** A number by a format, a dash for NaN. */
  static String number(String format, double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, format, value);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
