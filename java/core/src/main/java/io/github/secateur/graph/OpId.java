package io.github.secateur.graph;

/**
 * Names an operator.
 *
 * @param domain empty for the standard ONNX domain
 * @param type operator type
 */
public record OpId(String domain, String type) {
  /** An operator of the standard domain. */
  public static OpId onnx(String type) {
    return new OpId("", type);
  }

  /** An operator of Secateur's domain. */
  public static OpId own(String type) {
    return new OpId(Node.SECATEUR, type);
  }
}
