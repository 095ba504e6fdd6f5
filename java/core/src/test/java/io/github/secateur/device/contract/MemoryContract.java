package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Allocation, copies, life of buffers. */
public interface MemoryContract extends Contract {
  private static byte[] bytes(int n) {
    byte[] bytes = new byte[n];
    for (int i = 0; i < n; i++) {
      bytes[i] = (byte) (i * 31 + 7);
    }
    return bytes;
  }

  @Test
  default void uploadsAndDownloadsAtOffsets() {
    for (int n : SIZES) {
      try (Buffer buffer = device().allocate(n + 10)) {
        device().zero(buffer, 0, n + 10);
        device().upload(MemorySegment.ofArray(bytes(n)), buffer, 3);
        byte[] back = new byte[n + 10];
        device().download(buffer, 0, MemorySegment.ofArray(back));
        byte[] expected = new byte[n + 10];
        System.arraycopy(bytes(n), 0, expected, 3, n);
        assertArrayEquals(expected, back);
        byte[] part = new byte[n];
        device().download(buffer, 3, MemorySegment.ofArray(part));
        assertArrayEquals(bytes(n), part);
      }
    }
  }

  @Test
  default void copiesAndZeroesRanges() {
    try (Buffer a = device().allocate(1000);
        Buffer b = device().allocate(1000)) {
      device().upload(MemorySegment.ofArray(bytes(1000)), a, 0);
      device().zero(b, 0, 1000);
      device().copy(a, 10, b, 500, 100);
      device().copy(b, 500, b, 0, 100);
      device().zero(b, 550, 1);
      byte[] expected = new byte[1000];
      System.arraycopy(bytes(1000), 10, expected, 500, 100);
      System.arraycopy(bytes(1000), 10, expected, 0, 100);
      expected[550] = 0;
      byte[] back = new byte[1000];
      device().download(b, 0, MemorySegment.ofArray(back));
      assertArrayEquals(expected, back);
    }
  }

  @Test
  default void keepsTensorsAndMasksAsTheyAre() {
    Tensor tensor = Tensor.of(Shape.of(2, 3), 1, -0f, Float.NaN, Float.MIN_VALUE, 5, 6);
    Mask mask = Mask.ones(Shape.of(5, 7));
    mask.set(33, false);
    try (DeviceTensor t = device().toDevice(tensor);
        var m = device().toDevice(mask)) {
      assertTrue(device().toHost(t).bitEquals(tensor));
      assertTrue(device().toHost(m).bitEquals(mask));
      assertEquals(2, device().liveBuffers());
      assertEquals(0, t.address() % 128, "alignment of an allocation");
      assertEquals(0, m.words().address() % 128, "alignment of an allocation");
    }
  }

  @Test
  default void countsLiveBuffersAndClosesOnce() {
    Buffer a = device().allocate(100);
    Buffer empty = device().allocate(0);
    assertEquals(2, device().liveBuffers());
    assertEquals(100, device().liveBytes());
    assertTrue(empty.address() != 0 && empty.address() != a.address());
    a.close();
    a.close();
    assertEquals(1, device().liveBuffers());
    assertEquals(0, device().liveBytes());
    empty.close();
    assertEquals(0, device().liveBuffers());
  }

  @Test
  default void refusesAClosedBuffer() {
    Buffer closed = device().allocate(8);
    closed.close();
    assertThrows(IllegalStateException.class, () -> device().zero(closed, 0, 8));
    DeviceTensor view = new DeviceTensor(closed, 0, DType.F32, Shape.of(2));
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> device().nn().fill(1, view));
    assertTrue(e.getMessage().contains("closed"), e.getMessage());
  }

  @Test
  default void refusesToCloseWithLiveBuffers() {
    try (Buffer a = device().allocate(40);
        Buffer b = device().allocate(2)) {
      IllegalStateException e = assertThrows(IllegalStateException.class, device()::close);
      assertTrue(e.getMessage().contains("2 live buffers"), e.getMessage());
      assertEquals(42, a.byteSize() + b.byteSize());
      device().zero(a, 0, 40); // it is still open
    }
  }

  @Test
  default void refusesRangesOutsideABuffer() {
    try (Buffer buffer = device().allocate(16)) {
      MemorySegment eight = MemorySegment.ofArray(new byte[8]);
      assertThrows(IllegalArgumentException.class, () -> device().upload(eight, buffer, 9));
      assertThrows(IllegalArgumentException.class, () -> device().upload(eight, buffer, -1));
      assertThrows(IllegalArgumentException.class, () -> device().download(buffer, 9, eight));
      assertThrows(IllegalArgumentException.class, () -> device().zero(buffer, 0, 17));
      assertThrows(IllegalArgumentException.class, () -> device().copy(buffer, 0, buffer, 4, 8));
      assertThrows(
          IllegalArgumentException.class, () -> device().download(buffer, 0, eight.asReadOnly()));
    }
  }

  @Test
  default void refusesABufferOfAnotherDevice() {
    Buffer foreign =
        new Buffer() {
          @Override
          public long address() {
            return 64;
          }

          @Override
          public long byteSize() {
            return 64;
          }

          @Override
          public void close() {}
        };
    assertThrows(IllegalArgumentException.class, () -> device().zero(foreign, 0, 8));
  }

  @Test
  default void saysWhenMemoryIsOut() {
    DeviceException e =
        assertThrows(DeviceException.class, () -> device().allocate(Long.MAX_VALUE / 2));
    assertEquals(DeviceException.Status.OUT_OF_MEMORY, e.status());
    assertThrows(IllegalArgumentException.class, () -> device().allocate(-1));
    assertEquals(0, device().liveBuffers());
  }

  @Test
  default void describesItself() {
    device().synchronize();
    assertFalse(device().info().name().isBlank());
    assertFalse(device().info().description().isBlank());
    assertFalse(device().info().details().isEmpty());
  }
}
