package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;

/**
 * Declared type of a graph input, output or inner value.
 *
 * @param name the value
 * @param dtype element type, or null when it is no tensor or a type that Tensor does not hold
 * @param dims dimensions, or null when the rank is not declared
 * @param unmodelled serialized ONNX ValueInfoProto as read, empty when built here
 */
public record ValueInfo(String name, DType dtype, List<Dim> dims, byte[] unmodelled) {
  private static final byte[] NOTHING = {};

  /**
   * One dimension: a size, a symbol, or neither.
   *
   * @param size 0 or more, or -1 when not fixed
   * @param symbol name such as {@code batch}, or empty
   */
  public record Dim(long size, String symbol) {
    /** A fixed size. */
    public static Dim of(long size) {
      return new Dim(size, "");
    }

    /** A size bound when the graph is run. */
    public static Dim symbol(String name) {
      return new Dim(-1, name);
    }
  }

  /** Copies the dimensions. */
  public ValueInfo {
    dims = dims == null ? null : List.copyOf(dims);
  }

  /** A declaration made here. */
  public static ValueInfo of(String name, DType dtype, Dim... dims) {
    return new ValueInfo(name, dtype, List.of(dims), NOTHING);
  }

  /**
   * The concrete shape when every dimension that is not fixed takes this size.
   *
   * @throws IllegalArgumentException when the rank is not declared
   */
  public Shape shape(long symbolSize) {
    if (dims == null) {
      throw new IllegalArgumentException("value '" + name + "' does not declare its rank");
    }
    return Shape.of(dims.stream().mapToLong(d -> d.size() < 0 ? symbolSize : d.size()).toArray());
  }
}
