package io.github.secateur.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.measure.BenchReport;

/**
 * A benchmark's report as JSON by the rules of {@link JsonReport}: {@code schema} and {@code kind}
 * first, then the components of the records under their names.
 */
public final class BenchJson {
  /** What tells a benchmark from other reports. */
  public static final String KIND = "bench";

  private BenchJson() {}

  /** The report as a tree. */
  public static ObjectNode toTree(BenchReport report) {
    ObjectNode tree = (ObjectNode) JsonReport.tree(report);
    ObjectNode named = tree.objectNode().put("schema", BenchReport.SCHEMA).put("kind", KIND);
    return named.setAll(tree);
  }
}
