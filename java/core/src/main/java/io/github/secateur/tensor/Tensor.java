package io.github.secateur.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A dense row-major tensor in host memory outside the Java heap: plain data, 64-byte aligned when
 * made here. Its memory is freed by the garbage collector; buffers on devices are not (see {@code
 * device}).
 *
 * @param dtype element type
 * @param shape concrete shape
 * @param data exactly {@code shape.size() * dtype.byteSize()} bytes, little-endian
 */
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Checks that the memory holds exactly the elements. */
  public Tensor {
    Objects.requireNonNull(dtype);
    Objects.requireNonNull(shape);
    long bytes = Math.multiplyExact(shape.size(), (long) dtype.byteSize());
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "a %s tensor of shape %s needs %d bytes, got %d"
              .formatted(dtype, shape, bytes, data.byteSize()));
    }
  }

  /** A tensor of zeros. */
  public static Tensor zeros(DType dtype, Shape shape) {
    long bytes = Math.multiplyExact(shape.size(), (long) dtype.byteSize());
    return new Tensor(dtype, shape, Arena.ofAuto().allocate(bytes, 64));
  }

  /** An F32 tensor with a copy of these values. */
  public static Tensor of(Shape shape, float... values) {
    Tensor t = zeros(DType.F32, shape);
    checkCount(shape, values.length);
    MemorySegment.copy(values, 0, t.data, F32, 0, values.length);
    return t;
  }

  /** An I32 tensor with a copy of these values. */
  public static Tensor ofInts(Shape shape, int... values) {
    Tensor t = zeros(DType.I32, shape);
    checkCount(shape, values.length);
    MemorySegment.copy(values, 0, t.data, I32, 0, values.length);
    return t;
  }

  /** An I64 tensor with a copy of these values. */
  public static Tensor ofLongs(Shape shape, long... values) {
    Tensor t = zeros(DType.I64, shape);
    checkCount(shape, values.length);
    MemorySegment.copy(values, 0, t.data, I64, 0, values.length);
    return t;
  }

  private static void checkCount(Shape shape, long count) {
    if (shape.size() != count) {
      throw new IllegalArgumentException(
          "shape %s needs %d values, got %d".formatted(shape, shape.size(), count));
    }
  }

  /** Number of elements. */
  public long size() {
    return shape.size();
  }

  /** Bytes of all elements. */
  public long byteSize() {
    return data.byteSize();
  }

  /** Element at a flat index of an F32 tensor. */
  public float getFloat(long index) {
    require(DType.F32);
    return data.get(F32, index * 4);
  }

  /** Sets an element of an F32 tensor. */
  public void setFloat(long index, float value) {
    require(DType.F32);
    data.set(F32, index * 4, value);
  }

  /** Element at a flat index of an I32 tensor. */
  public int getInt(long index) {
    require(DType.I32);
    return data.get(I32, index * 4);
  }

  /** Element at a flat index of an I64 tensor. */
  public long getLong(long index) {
    require(DType.I64);
    return data.get(I64, index * 8);
  }

  /** A copy of an F32 tensor's elements. */
  public float[] toFloats() {
    require(DType.F32);
    return data.toArray(F32);
  }

  /** A copy of an I32 tensor's elements. */
  public int[] toInts() {
    require(DType.I32);
    return data.toArray(I32);
  }

  /** A copy of an I64 tensor's elements. */
  public long[] toLongs() {
    require(DType.I64);
    return data.toArray(I64);
  }

  /** The same elements under another shape of equal size; shares the memory. */
  public Tensor reshape(Shape other) {
    return new Tensor(dtype, other, data);
  }

  /** A deep copy. */
  public Tensor copy() {
    Tensor t = zeros(dtype, shape);
    t.data.copyFrom(data);
    return t;
  }

  /** Whether type, shape and every byte are equal (so NaN equals itself and -0 differs from +0). */
  public boolean bitEquals(Tensor other) {
    return dtype == other.dtype && shape.equals(other.shape) && data.mismatch(other.data) == -1;
  }

  private void require(DType wanted) {
    if (dtype != wanted) {
      throw new IllegalArgumentException(
          "wanted a %s tensor, got %s of shape %s".formatted(wanted, dtype, shape));
    }
  }

  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
