package io.github.secateur.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** A concrete shape: zero or more dimensions of size 0 or more, outermost first. Immutable. */
public final class Shape {
  private static final Shape SCALAR = new Shape(new long[0]);

  private final long[] dims;
  private final long size;

  private Shape(long[] dims) {
    long product = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException(
            "shape " + Arrays.toString(dims) + " has a negative dimension");
      }
      try {
        product = Math.multiplyExact(product, d);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "shape " + Arrays.toString(dims) + " has more than 2^63 elements", e);
      }
    }
    this.dims = dims;
    this.size = product;
  }

  /** The shape with these dimensions; none gives a scalar. */
  public static Shape of(long... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /**
   * Size of a dimension.
   *
   * @param axis 0 .. rank-1, or -rank .. -1 counted from the end
   */
  public long dim(int axis) {
    return dims[axis < 0 ? axis + dims.length : axis];
  }

  /** Number of elements; 1 for a scalar. */
  public long size() {
    return size;
  }

  /** A copy of the dimensions. */
  public long[] dims() {
    return dims.clone();
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [300, 784]}; {@code []} for a scalar. */
  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
