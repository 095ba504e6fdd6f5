package io.github.secateur.io;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.LongStream;

/**
 * Labelled examples.
 *
 * @param x F32 [n, features...]; unsigned bytes were scaled by 1/255
 * @param labels I32 [n], each 0 .. classes-1
 * @param classes number of classes
 * @param sha256 hash of the data as stored, for provenance
 * @param name what reports call it
 */
public record Samples(Tensor x, Tensor labels, int classes, String sha256, String name) {
  private static final int MAX_CLASSES = 1 << 20;
  private static final int CHUNK = 1 << 16;
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final float[] SCALED = new float[256];

  static {
    for (int i = 0; i < SCALED.length; i++) {
      SCALED[i] = i / 255f;
    }
  }

  /** Checks types, counts and the range of the labels. */
  public Samples {
    if (x.dtype() != DType.F32 || x.shape().rank() < 2) {
      throw new IllegalArgumentException(
          name + ": examples should be F32 [n, features...], got " + x);
    }
    if (labels.dtype() != DType.I32 || !labels.shape().equals(Shape.of(x.shape().dim(0)))) {
      throw new IllegalArgumentException(
          "%s: %d examples need as many labels, got %s".formatted(name, x.shape().dim(0), labels));
    }
    requireRange(name, labels, classes);
  }

  /**
   * Examples from tensors as they lie in files. The number of classes is the largest label + 1.
   *
   * @param x U8 (scaled to 0 .. 1), F32, F64, I32 or I64 [n, ...]; [n] is taken as [n, 1]
   * @param labels U8, I32 or I64 [n] or [n, 1]
   * @throws IllegalArgumentException naming the index of a value that is not finite, or of a label
   *     that is negative or absurdly large; when the counts differ, or there is no example
   */
  public static Samples of(String name, Tensor x, Tensor labels, String sha256) {
    if (x.shape().rank() == 0 || x.size() == 0) {
      throw new IllegalArgumentException(name + ": there are no examples, the shape is " + x);
    }
    long n = x.shape().dim(0);
    if (labels.size() != n || labels.shape().rank() == 0) {
      throw new IllegalArgumentException(
          "%s: %d examples need as many labels, got %s".formatted(name, n, labels));
    }
    Tensor ints = toLabels(name, labels);
    int classes = 0;
    for (int label : ints.toInts()) {
      classes = Math.max(classes, label + 1);
    }
    Tensor floats = toFloats(name, x);
    Shape shape = x.shape().rank() == 1 ? Shape.of(n, 1) : x.shape();
    return new Samples(floats.reshape(shape), ints, classes, sha256, name);
  }

  /** Number of examples. */
  public long count() {
    return x.shape().dim(0);
  }

  /** Numbers an example has. */
  public long features() {
    return x.size() / count();
  }

  /**
   * The same samples for a given number of classes.
   *
   * @throws IllegalArgumentException naming the index of a label that is out of range
   */
  public Samples withClasses(int wanted) {
    return new Samples(x, labels, wanted, sha256, name);
  }

  private static void requireRange(String name, Tensor labels, int classes) {
    int[] all = labels.toInts();
    for (int i = 0; i < all.length; i++) {
      if (all[i] < 0 || all[i] >= classes) {
        throw new IllegalArgumentException(
            "%s: label %d of example %d is out of range, there are %d classes (0 .. %d)"
                .formatted(name, all[i], i, classes, classes - 1));
      }
    }
  }

  private static Tensor toLabels(String name, Tensor labels) {
    long n = labels.size();
    Tensor ints = Tensor.zeros(DType.I32, Shape.of(n));
    for (long i = 0; i < n; i++) {
      long label =
          switch (labels.dtype()) {
            case U8 -> Byte.toUnsignedLong(labels.data().get(ValueLayout.JAVA_BYTE, i));
            case I32 -> labels.getInt(i);
            case I64 -> labels.getLong(i);
            default ->
                throw new IllegalArgumentException(
                    name + ": labels should be whole numbers (U8, I32 or I64), got " + labels);
          };
      if (label < 0 || label >= MAX_CLASSES) {
        throw new IllegalArgumentException(
            "%s: label %d of example %d is out of range (0 .. %d)"
                .formatted(name, label, i, MAX_CLASSES - 1));
      }
      ints.data().set(ValueLayout.JAVA_INT, 4 * i, (int) label);
    }
    return ints;
  }

  private static Tensor toFloats(String name, Tensor x) {
    if (x.dtype() == DType.F32) {
      requireFinite(name, x);
      return x;
    }
    Tensor floats = Tensor.zeros(DType.F32, x.shape());
    long chunks = (x.size() + CHUNK - 1) / CHUNK;
    LongStream.range(0, chunks)
        .parallel()
        .forEach(
            c -> {
              long from = c * CHUNK;
              int count = (int) Math.min(CHUNK, x.size() - from);
              float[] values = convert(name, x, from, count);
              MemorySegment.copy(values, 0, floats.data(), F32, 4 * from, count);
            });
    if (x.dtype() == DType.F64) {
      requireFinite(name, floats);
    }
    return floats;
  }

  private static float[] convert(String name, Tensor x, long from, int count) {
    float[] values = new float[count];
    byte[] bytes =
        x.dtype() == DType.U8
            ? x.data().asSlice(from, count).toArray(ValueLayout.JAVA_BYTE)
            : new byte[0];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (x.dtype()) {
            case U8 -> SCALED[bytes[i] & 0xff];
            case F64 -> (float) x.data().get(F64, 8 * (from + i));
            case I32 -> x.getInt(from + i);
            case I64 -> x.getLong(from + i);
            default ->
                throw new IllegalArgumentException(
                    name + ": examples should be U8, F32, F64, I32 or I64, got " + x);
          };
    }
    return values;
  }

  private static void requireFinite(String name, Tensor x) {
    for (long i = 0; i < x.size(); i++) {
      float value = x.getFloat(i);
      if (!Float.isFinite(value)) {
        long features = x.size() / x.shape().dim(0);
        throw new IllegalArgumentException(
            "%s: value %d of example %d is %s; every value should be a finite number"
                .formatted(name, i % features, i / features, value));
      }
    }
  }
}
