package io.github.secateur.graph;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/** Element type and concrete shape of a value. */
public record TensorType(DType dtype, Shape shape) {
  /** An F32 type. */
  public static TensorType f32(long... dims) {
    return new TensorType(DType.F32, Shape.of(dims));
  }

  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
