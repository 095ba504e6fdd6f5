package io.github.secateur.device;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;

/**
 * A bit-packed mask in device memory, laid out as {@link Mask}.
 *
 * @param words the mask words, from the start of a buffer of its own (so on a 128-byte line of its
 *     own)
 * @param shape shape of the masked tensor
 */
public record DeviceMask(Buffer words, Shape shape) implements AutoCloseable {
  /** Checks the size. */
  public DeviceMask {
    if (words.byteSize() < Mask.byteSize(shape)) {
      throw new IllegalArgumentException(
          "a mask over %s does not fit %d bytes".formatted(shape, words.byteSize()));
    }
  }

  /** Number of elements masked over. */
  public long size() {
    return shape.size();
  }

  @Override
  public void close() {
    words.close();
  }
}
