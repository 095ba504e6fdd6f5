package io.github.secateur.device.abi;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * A device behind the C ABI, as the operation groups of this package need it: a handle, a stream,
 * addresses, and memory for what an operation takes and gives beside its tensors.
 */
public interface NativeDevice extends Device {
  /** The native device; throws when this one is closed. */
  long handle();

  /** Where operations are enqueued; 0 on the CPU device, which has no streams. */
  long stream();

  /** Address of a buffer that must be open and of this device. */
  default long address(String operation, Buffer buffer) {
    if (buffer instanceof NativeBuffer own && own.device().equals(this)) {
      return own.address();
    }
    throw new IllegalArgumentException(
        "%s: the buffer (%s) is not of this %s device; copy it through the host first"
            .formatted(operation, buffer, info().name()));
  }

  /** Address of bytes that must lie in a buffer of this device. */
  default long range(String operation, Buffer buffer, long offset, long bytes) {
    if (offset < 0 || bytes < 0 || offset > buffer.byteSize() - bytes) {
      throw new IllegalArgumentException(
          "%s: bytes %d to %d are outside a buffer of %d bytes"
              .formatted(operation, offset, offset + bytes, buffer.byteSize()));
    }
    return address(operation, buffer) + offset;
  }

  /** Host memory for sizes that functions write at once; valid until the next call. */
  MemorySegment sizes();

  /** Address of scratch memory of the device, kept and grown; not counted as a live buffer. */
  long workspace(long bytes);

  /**
   * Address of a block that operations read counts from and write results to: host memory on the
   * CPU device, device memory elsewhere. Its contents are lost when it is asked for again.
   */
  long exchange(long bytes);

  /** Writes to the start of the exchange block, in the order of the stream. */
  void toExchange(MemorySegment source);

  /** Waits for the stream and reads the exchange block until {@code target} is full. */
  void fromExchange(long offset, MemorySegment target);

  /** Address of a tensor of this device with elements of this type. */
  default long address(String operation, DeviceTensor tensor, DType dtype) {
    if (tensor.dtype() != dtype) {
      throw new IllegalArgumentException(
          operation + ": " + tensor + " is not of type " + dtype + "; convert it on the host");
    }
    long offset = tensor.byteOffset();
    if ((offset & (dtype.byteSize() - 1)) != 0) {
      throw new IllegalArgumentException(
          "%s: %s starts at byte %d, which is no multiple of %d"
              .formatted(operation, tensor, offset, dtype.byteSize()));
    }
    return address(operation, tensor.buffer()) + offset;
  }

  /** Address of an F32 tensor of this device. */
  default long f32(String operation, DeviceTensor tensor) {
    return address(operation, tensor, DType.F32);
  }

  /** Address of a mask's words, 0 (NULL) for no mask. */
  default long mask(String operation, DeviceMask mask) {
    return mask == null ? 0 : address(operation, mask.words());
  }
}
