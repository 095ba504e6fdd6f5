package io.github.secateur.report;

import java.io.Console;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A table of aligned plain text: a header line, a rule, one line a row, two spaces between columns.
 * Widths count code points. A cell that the style cannot encode, or a line break in it, is written
 * as a question mark or a space, so that rows stay rows.
 */
public final class TerminalTable {
  /** Which characters rules and absent values are made of. */
  public enum Style {
    /** Letters and signs of ASCII alone, for pipes and old terminals. */
    ASCII('-', "-"),
    /** Box drawing and typographic signs. */
    UNICODE('─', "–");

    private final char rule;
    private final String absent;

    Style(char rule, String absent) {
      this.rule = rule;
      this.absent = absent;
    }

    /** Unicode where the character set can write its signs and {@code plain} is not asked for. */
    public static Style of(Charset charset, boolean plain) {
      return !plain && charset.canEncode() && charset.newEncoder().canEncode("─–×µ±")
          ? UNICODE
          : ASCII;
    }

    /** What stands for a value that was not measured. */
    public String absent() {
      return absent;
    }

    /**
     * The style for this process's standard output: ASCII unless it is a terminal that can more.
     */
    public static Style current() {
      Console console = System.console();
      boolean terminal = console != null && console.isTerminal();
      return of(
          Charset.forName(System.getProperty("stdout.encoding", Charset.defaultCharset().name())),
          !terminal || "dumb".equals(System.getenv("TERM")));
    }

    /** The text with signs that this style lacks written in letters. */
    String fit(String text) {
      String line = text.replaceAll("\\p{Cntrl}+", " ");
      if (this == UNICODE) {
        return line;
      }
      String plain = line.replace("×", "x").replace("µ", "u").replace("–", "-").replace("−", "-");
      CharsetEncoder ascii = StandardCharsets.US_ASCII.newEncoder();
      StringBuilder fitted = new StringBuilder();
      plain
          .codePoints()
          .forEach(
              c -> {
                String s = Character.toString(c);
                fitted.append(ascii.canEncode(s) ? s : "?");
              });
      return fitted.toString();
    }
  }

  /** Where a column's text stands. */
  public enum Align {
    /** Text. */
    LEFT,
    /** Numbers. */
    RIGHT,
    /** Right where every value present begins with a digit, after a sign perhaps; else left. */
    AUTO
  }

  private static final Pattern NUMBER = Pattern.compile("[+−-]?\\d.*");
  private static final String GAP = "  ";

  private final Style style;
  private final List<String> headers = new ArrayList<>();
  private final List<Align> aligns = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  /** An empty table. */
  public TerminalTable(Style style) {
    this.style = style;
  }

  /** A table for standard output with columns aligned by what they hold. */
  public static TerminalTable of(String... headers) {
    TerminalTable table = new TerminalTable(Style.current());
    for (String header : headers) {
      table.column(header, Align.AUTO);
    }
    return table;
  }

  /** Adds a column; all columns come before the first row. */
  public TerminalTable column(String header, Align align) {
    if (!rows.isEmpty()) {
      throw new IllegalStateException("column '" + header + "' comes after the first row");
    }
    headers.add(style.fit(header));
    aligns.add(align);
    return this;
  }

  /** Adds a row of as many cells as there are columns; null is an absent value. */
  public TerminalTable row(String... cells) {
    return row(Arrays.asList(cells));
  }

  /** Adds a row of as many cells as there are columns; null is an absent value. */
  public TerminalTable row(List<String> cells) {
    if (cells.size() != headers.size()) {
      throw new IllegalArgumentException(
          "a row of %d cells in a table of %d columns".formatted(cells.size(), headers.size()));
    }
    rows.add(cells.stream().map(c -> c == null ? style.absent() : style.fit(c)).toList());
    return this;
  }

  /** The table; every line ends with a line feed and has no trailing blanks. */
  public String format() {
    int[] widths = new int[headers.size()];
    boolean[] left = new boolean[headers.size()];
    for (int c = 0; c < widths.length; c++) {
      left[c] = left(c);
      widths[c] = length(headers.get(c));
      for (List<String> row : rows) {
        widths[c] = Math.max(widths[c], length(row.get(c)));
      }
    }
    StringBuilder out = new StringBuilder();
    line(out, headers, widths, left);
    List<String> rules = new ArrayList<>();
    for (int width : widths) {
      rules.add(String.valueOf(style.rule).repeat(width));
    }
    line(out, rules, widths, left);
    for (List<String> row : rows) {
      line(out, row, widths, left);
    }
    return out.toString();
  }

  private static void line(StringBuilder out, List<String> cells, int[] widths, boolean[] left) {
    StringBuilder line = new StringBuilder();
    for (int c = 0; c < widths.length; c++) {
      String blanks = " ".repeat(widths[c] - length(cells.get(c)));
      line.append(c == 0 ? "" : GAP);
      line.append(left[c] ? cells.get(c) + blanks : blanks + cells.get(c));
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }

  private boolean left(int column) {
    return switch (aligns.get(column)) {
      case LEFT -> true;
      case RIGHT -> false;
      case AUTO ->
          rows.stream()
              .map(row -> row.get(column))
              .anyMatch(c -> !c.equals(style.absent()) && !NUMBER.matcher(c).matches());
    };
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  @Override
  public String toString() {
    return format();
  }
}
