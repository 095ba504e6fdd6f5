package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Device tensors inside larger buffers whose other bytes are a pattern, at an address that is only
 * element-aligned. Closing checks that the pattern is intact and that inputs are unchanged.
 */
final class Fixture implements AutoCloseable {
  private static final byte PATTERN = (byte) 0xa5;

  /** Bytes before and after; not a multiple of 16, so that views are badly aligned. */
  private static final int GUARD = 72;

  private final Device device;
  private final List<Guarded> all = new ArrayList<>();

  private record Guarded(Buffer buffer, long start, long end, byte[] unchanged) {}

  Fixture(Device device) {
    this.device = device;
  }

  /** An input: must not be written. */
  DeviceTensor in(Shape shape, float... values) {
    return place(Tensor.of(shape, values), true);
  }

  DeviceTensor in(float... values) {
    return in(Shape.of(values.length), values);
  }

  DeviceTensor in(Tensor tensor) {
    return place(tensor, true);
  }

  /** Read and written. */
  DeviceTensor inOut(Shape shape, float... values) {
    return place(Tensor.of(shape, values), false);
  }

  DeviceTensor inOut(float... values) {
    return inOut(Shape.of(values.length), values);
  }

  DeviceTensor inOut(Tensor tensor) {
    return place(tensor, false);
  }

  /** Written; holds NaN before. */
  DeviceTensor out(Shape shape) {
    float[] nan = new float[Math.toIntExact(shape.size())];
    Arrays.fill(nan, Float.NaN);
    return inOut(shape, nan);
  }

  DeviceTensor out(long... dims) {
    return out(Shape.of(dims));
  }

  DeviceTensor scalar(float value) {
    return in(Shape.of(), value);
  }

  private DeviceTensor place(Tensor tensor, boolean input) {
    // The guard before F64 and I64 elements keeps their alignment: 72 is a multiple of 8.
    Buffer buffer = guarded(tensor.byteSize(), GUARD);
    device.upload(tensor.data(), buffer, GUARD);
    byte[] unchanged = input ? tensor.data().toArray(ValueLayout.JAVA_BYTE) : null;
    all.add(new Guarded(buffer, GUARD, GUARD + tensor.byteSize(), unchanged));
    return new DeviceTensor(buffer, GUARD, tensor.dtype(), tensor.shape());
  }

  /** A mask that must not be written. */
  DeviceMask in(Mask mask) {
    return place(mask, true);
  }

  /** A mask that is read and written. */
  DeviceMask inOut(Mask mask) {
    return place(mask, false);
  }

  /** A mask to be written; every bit set before, also past the end. */
  DeviceMask outMask(Shape shape) {
    DeviceMask mask = inOut(Mask.ones(shape));
    byte[] ones = new byte[Math.toIntExact(Mask.byteSize(shape))];
    Arrays.fill(ones, (byte) -1);
    device.upload(MemorySegment.ofArray(ones), mask.words(), 0);
    return mask;
  }

  private DeviceMask place(Mask mask, boolean input) {
    long bytes = mask.words().byteSize();
    Buffer buffer = guarded(bytes, 0);
    device.upload(mask.words(), buffer, 0);
    byte[] unchanged = input ? mask.words().toArray(ValueLayout.JAVA_BYTE) : null;
    all.add(new Guarded(buffer, 0, bytes, unchanged));
    return new DeviceMask(buffer, mask.shape());
  }

  private Buffer guarded(long bytes, int before) {
    byte[] pattern = new byte[Math.toIntExact(before + bytes + GUARD)];
    Arrays.fill(pattern, PATTERN);
    Buffer buffer = device.allocate(pattern.length);
    device.upload(MemorySegment.ofArray(pattern), buffer, 0);
    return buffer;
  }

  float[] read(DeviceTensor tensor) {
    return device.toHost(tensor).toFloats();
  }

  Tensor tensor(DeviceTensor tensor) {
    return device.toHost(tensor);
  }

  Mask mask(DeviceMask mask) {
    return device.toHost(mask);
  }

  /** Random state (seed, counter). */
  DeviceTensor state(long seed, long counter) {
    return in(Tensor.ofLongs(Shape.of(2), seed, counter));
  }

  /** A zeroed F64 tensor. */
  DeviceTensor doubles(long... dims) {
    return inOut(Tensor.zeros(DType.F64, Shape.of(dims)));
  }

  @Override
  public void close() {
    try {
      all.forEach(this::check);
    } finally {
      all.forEach(guarded -> guarded.buffer().close());
    }
  }

  private void check(Guarded guarded) {
    byte[] bytes = new byte[Math.toIntExact(guarded.buffer().byteSize())];
    device.download(guarded.buffer(), 0, MemorySegment.ofArray(bytes));
    for (int i = 0; i < bytes.length; i++) {
      if (i < guarded.start() || i >= guarded.end()) {
        assertEquals(PATTERN, bytes[i], "guard byte at " + (i - guarded.start()));
      }
    }
    if (guarded.unchanged() != null) {
      byte[] now = Arrays.copyOfRange(bytes, (int) guarded.start(), (int) guarded.end());
      assertArrayEquals(guarded.unchanged(), now, "an input was written");
    }
  }
}
