package io.github.secateur.device;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/**
 * A dense row-major tensor in device memory: a view of a buffer. Closing it closes the buffer;
 * views made by {@link #view} share it, and only one of them may be closed.
 *
 * @param buffer where it lives
 * @param byteOffset first byte within the buffer, a multiple of the element size
 * @param dtype element type
 * @param shape shape
 */
public record DeviceTensor(Buffer buffer, long byteOffset, DType dtype, Shape shape)
    implements AutoCloseable {
  /** Checks the bounds. */
  public DeviceTensor {
    if (byteOffset < 0 || byteOffset + shape.size() * dtype.byteSize() > buffer.byteSize()) {
      throw new IllegalArgumentException(
          "%s%s at byte %d does not fit a buffer of %d bytes"
              .formatted(dtype, shape, byteOffset, buffer.byteSize()));
    }
  }

  /** Address of the first element. */
  public long address() {
    return buffer.address() + byteOffset;
  }

  /** Number of elements. */
  public long size() {
    return shape.size();
  }

  /** The same elements under another shape of equal size; shares the buffer. */
  public DeviceTensor view(Shape other) {
    if (other.size() != shape.size()) {
      throw new IllegalArgumentException("cannot view shape " + shape + " as " + other);
    }
    return new DeviceTensor(buffer, byteOffset, dtype, other);
  }

  @Override
  public void close() {
    buffer.close();
  }

  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
