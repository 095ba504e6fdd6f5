package io.github.secateur.report;

import java.util.List;

/** Fragments of HTML; every text that comes in is escaped. */
final class Html {
  private final StringBuilder out = new StringBuilder();

  /**
   * Text for element content and for attribute values in double quotes; keeps {@code 90 %} whole.
   */
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '&' -> escaped.append("&amp;");
        case '"' -> escaped.append("&quot;");
        case ' ' -> escaped.append(text.startsWith(" %", i) ? "&nbsp;" : " ");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /**
   * JSON that may stand inside a script element: no character in it can end the element or open a
   * comment, and no line separator of JavaScript is left bare.
   */
  static String scriptJson(String json) {
    return json.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029");
  }

  /** Markup, as it is. */
  Html raw(String markup) {
    out.append(markup);
    return this;
  }

  /** An element around text. */
  Html element(String tag, String text) {
    return raw("<" + tag + ">").text(text).raw("</" + tag + ">\n");
  }

  /** Text. */
  Html text(String text) {
    return raw(escape(text));
  }

  /**
   * Opens a table that scrolls sideways inside its own box.
   *
   * @param headers of the columns; one that ends with a colon heads text, which stands left
   */
  Html openTable(String label, List<String> headers) {
    raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"").text(label);
    raw("\"><table>\n<thead><tr>");
    for (String header : headers) {
      boolean text = header.endsWith(":");
      raw(text ? "<th scope=\"col\" class=\"text\">" : "<th scope=\"col\">");
      text(text ? header.substring(0, header.length() - 1) : header).raw("</th>");
    }
    return raw("</tr></thead>\n<tbody>\n");
  }

  /** A row: its first cell is its header; null is an absent value. */
  Html row(List<String> cells) {
    raw("<tr>");
    for (int i = 0; i < cells.size(); i++) {
      String cell = cells.get(i) == null ? "–" : cells.get(i);
      raw(i == 0 ? "<th scope=\"row\">" : "<td>").text(cell).raw(i == 0 ? "</th>" : "</td>");
    }
    return raw("</tr>\n");
  }

  /** Closes what {@link #openTable} opened. */
  Html closeTable() {
    return raw("</tbody></table></div>\n");
  }

  /** A place where the page's script draws a chart, with controls and the data as a table. */
  Html figure(String id, String title, String caption) {
    raw("<figure id=\"" + id + "\"><h3>").text(title).raw("</h3><div class=\"controls\"></div>");
    raw("<div class=\"charts\"></div><figcaption>").text(caption).raw("</figcaption>");
    return raw("<details><summary>Data of this chart</summary></details></figure>\n");
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
