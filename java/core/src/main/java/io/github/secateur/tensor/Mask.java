package io.github.secateur.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A bit-packed mask over a tensor in host memory: bit {@code i & 31} of little-endian 32-bit word
 * {@code i >> 5} is 1 where element {@code i} (row-major) is kept, 0 where it is pruned. Bits past
 * the last element are 0. This is the layout of the C ABI.
 *
 * @param shape the shape of the tensor that is masked
 * @param words {@code 4 * ceil(shape.size() / 32)} bytes
 */
public record Mask(Shape shape, MemorySegment words) {
  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Checks the size. */
  public Mask {
    if (words.byteSize() != byteSize(shape)) {
      throw new IllegalArgumentException(
          "a mask over shape %s needs %d bytes, got %d"
              .formatted(shape, byteSize(shape), words.byteSize()));
    }
  }

  /** Bytes of the mask words over a tensor of this shape. */
  public static long byteSize(Shape shape) {
    return (shape.size() + 31) / 32 * 4;
  }

  /** A mask that keeps every element. */
  public static Mask ones(Shape shape) {
    Mask m = zeros(shape);
    long n = shape.size();
    m.words.asSlice(0, n / 32 * 4).fill((byte) 0xff);
    if (n % 32 != 0) {
      m.words.set(WORD, n / 32 * 4, (1 << (n % 32)) - 1);
    }
    return m;
  }

  /** A mask that prunes every element. */
  public static Mask zeros(Shape shape) {
    return new Mask(shape, Arena.ofAuto().allocate(byteSize(shape), 64));
  }

  /** Whether element {@code i} is kept. */
  public boolean kept(long i) {
    return (words.get(WORD, i / 32 * 4) >>> (i % 32) & 1) != 0;
  }

  /** Keeps or prunes element {@code i}. */
  public void set(long i, boolean kept) {
    int word = words.get(WORD, i / 32 * 4);
    int bit = 1 << (i % 32);
    words.set(WORD, i / 32 * 4, kept ? word | bit : word & ~bit);
  }

  /** Number of elements masked over. */
  public long size() {
    return shape.size();
  }

  /** Number of kept elements. */
  public long keptCount() {
    long kept = 0;
    for (long offset = 0; offset < words.byteSize(); offset += 4) {
      kept += Integer.bitCount(words.get(WORD, offset));
    }
    return kept;
  }

  /** Number of pruned elements. */
  public long prunedCount() {
    return size() - keptCount();
  }

  /** Pruned elements over all elements, 0 for an empty mask. */
  public double sparsity() {
    return size() == 0 ? 0 : (double) prunedCount() / size();
  }

  /** Whether shape and bits are equal. */
  public boolean bitEquals(Mask other) {
    return shape.equals(other.shape) && words.mismatch(other.words) == -1;
  }

  @Override
  public String toString() {
    return "mask over %s, %.4f pruned".formatted(shape, sparsity());
  }
}
