package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.Device.Replay;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.NnOps.Binary;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What only the CUDA device promises: when it waits, what it copies, how it fails. */
class CudaDeviceTest {
  private final Device device = Devices.open("cuda", DeviceOptions.defaults());

  @AfterEach
  void closeDevice() {
    assertEquals(0, device.liveBuffers());
    device.close();
  }

  private DeviceTensor tensor(float... values) {
    return device.toDevice(Tensor.of(Shape.of(values.length), values));
  }

  @Test
  void saysWhatItRunsOn() {
    var details = device.info().details();
    assertEquals("true", details.get("simulated"));
    assertTrue(device.info().description().startsWith("Simulated CUDA device"));
    for (String library : List.of("libcuda", "libcublas", "libcusparse")) {
      assertTrue(details.get(library).contains("/sim/"), details.get(library));
    }
    assertEquals("no", details.get("tf32"));
    try (Device rounding = Devices.open("cuda", new DeviceOptions(0, true))) {
      assertEquals("yes", rounding.info().details().get("tf32"));
    }
  }

  @Test
  void uploadsWithoutWaitingAndLeavesTheHostRangeFree() {
    try (DeviceTensor x = device.empty(DType.F32, Shape.of(1000))) {
      float[] values = new float[1000];
      Simulator.reset();
      for (int run = 0; run < 100; run++) {
        Arrays.fill(values, run);
        device.upload(MemorySegment.ofArray(values), x.buffer(), 0);
      }
      Arrays.fill(values, Float.NaN); // the last upload has taken what it needs
      assertEquals(0, Simulator.counters().synchronizations());
      float[] back = device.toHost(x).toFloats();
      assertEquals(100, Simulator.counters().uploads());
      assertEquals(1, Simulator.counters().synchronizations());
      Arrays.fill(values, 99);
      assertTrue(Arrays.equals(values, back));
    }
  }

  @Test
  void copiesMoreThanTheStagingHolds() {
    byte[] bytes = new byte[70 << 20];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31 + (i >> 13));
    }
    try (Buffer buffer = device.allocate(bytes.length)) {
      device.upload(MemorySegment.ofArray(bytes), buffer, 0);
      byte[] back = new byte[bytes.length];
      device.download(buffer, 0, MemorySegment.ofArray(back));
      assertEquals(-1, Arrays.mismatch(bytes, back));
    }
  }

  @Test
  void waitsOnceForASelection() {
    try (DeviceTensor scores = tensor(3, 1, 2);
        DeviceMask mask = new DeviceMask(device.allocate(4), Shape.of(3))) {
      List<Segment> segments = List.of(new Segment(scores, null, mask, 0));
      device.prune().select(Key.ABS, segments, new long[] {1}); // workspaces are made
      Simulator.reset();
      device.prune().select(Key.ABS, segments, new long[] {1});
      assertEquals(1, Simulator.counters().synchronizations());
      assertEquals(0, Simulator.counters().allocations());
      assertTrue(Simulator.counters().launches() <= 8, Simulator.counters().toString());
      assertEquals(2, device.prune().keptCount(mask));
    }
  }

  @Test
  void replaysByOneGraphLaunch() {
    try (DeviceTensor x = tensor(1, 2);
        DeviceTensor y = tensor(0, 0);
        Replay replay =
            device.replay(
                () -> {
                  for (int i = 0; i < 10; i++) {
                    device.nn().binary(Binary.ADD, y, x, y);
                  }
                })) {
      replay.run();
      replay.run();
      Simulator.reset();
      replay.run();
      assertEquals(1, Simulator.counters().graphLaunches());
      assertEquals(0, Simulator.counters().launches());
      assertEquals(0, Simulator.counters().synchronizations());
      assertTrue(Arrays.equals(new float[] {30, 60}, device.toHost(y).toFloats()));
    }
  }

  @Test
  void recordsOnAVirtualThread() throws InterruptedException {
    try (DeviceTensor x = tensor(1, 2);
        Replay replay = device.replay(() -> device.nn().fill(5, x))) {
      replay.run();
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Thread thread =
          Thread.ofVirtual()
              .uncaughtExceptionHandler((t, e) -> failure.set(e))
              .start(
                  () -> {
                    replay.run();
                    replay.run();
                  });
      thread.join();
      assertEquals(null, failure.get());
      assertTrue(Arrays.equals(new float[] {5, 5}, device.toHost(x).toFloats()));
    }
  }

  @Test
  void refusesToRecordWhatAGraphCannotHold() {
    try (DeviceTensor x = tensor(1, 2)) {
      List<Runnable> forbidden =
          List.of(
              () -> device.allocate(8).close(),
              () -> device.upload(MemorySegment.ofArray(new float[2]), x.buffer(), 0),
              () -> device.toHost(x),
              device::synchronize);
      for (Runnable work : forbidden) {
        try (Replay replay = device.replay(work)) {
          replay.run();
          IllegalStateException e = assertThrows(IllegalStateException.class, replay::run);
          assertTrue(e.getMessage().contains("recorded for replay"), e.getMessage());
        }
      }
      device.nn().fill(7, x);
      assertTrue(Arrays.equals(new float[] {7, 7}, device.toHost(x).toFloats()));
    }
  }

  @Test
  void reusesWhatWasFreedAndTriesAgainWhenMemoryIsOut() {
    Simulator.fail(Simulator.ALLOCATION, 1);
    device.allocate(1000).close(); // refused once, then granted
    DeviceException e = assertThrows(DeviceException.class, () -> device.allocate(1L << 50));
    assertEquals(DeviceException.Status.OUT_OF_MEMORY, e.status());
    assertTrue(e.getMessage().contains("1073741824.0 MiB were asked for"), e.getMessage());
    assertTrue(e.getMessage().contains("are free"), e.getMessage());
  }

  /** Whichever allocation of a sparse layer's products is refused once is granted after a trim. */
  @Test
  void triesEveryAllocationASecondTime() {
    int waits = 0;
    for (int nth = 1; nth < 30; nth++) {
      try (DeviceTensor w = device.toDevice(Tensor.of(Shape.of(2, 2), 1, 0, 2, 3));
          DeviceTensor x = device.toDevice(Tensor.of(Shape.of(2, 2), 1, 2, 3, 4));
          DeviceTensor y = device.empty(DType.F32, Shape.of(2, 2));
          Buffer none = device.allocate(0)) {
        device.synchronize();
        Simulator.fail(Simulator.ALLOCATION, nth);
        Simulator.reset();
        try (var packed = device.sparse().packTrainable(w, false, null)) {
          device.sparse().matmul(packed, x, Epilogue.NONE, y, none);
          device.sparse().inputGradient(packed, y, x, none);
          device.sparse().weightGradient(packed, x, y, w, none);
        }
        try (var packed = device.sparse().pack(w, false, null, new SparseFormat.Blocks(2, 2))) {
          device.sparse().matmul(packed, x, Epilogue.NONE, y, none);
        }
        Simulator.fail(Simulator.ALLOCATION, 0);
        // Packing waits three times, for counts of what is stored; a trim once more.
        waits += (int) Simulator.counters().synchronizations() - 3;
        assertEquals(4, device.liveBuffers(), "after allocation " + nth);
      }
    }
    assertTrue(waits >= 10, waits + " allocations were tried a second time");
  }

  /** The library's blocks must divide a matrix. */
  @Test
  void refusesBlocksThatDoNotDivide() {
    try (DeviceTensor w = device.toDevice(Tensor.zeros(DType.F32, Shape.of(8, 12)))) {
      for (int block : new int[] {3, 8}) {
        var format = new SparseFormat.Blocks(block, block);
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class, () -> device.sparse().pack(w, false, null, format));
        assertTrue(e.getMessage().contains("do not divide W [8, 12]"), e.getMessage());
      }
    }
  }

  /** A product of blocks is one call of the library, and all that it took is given back. */
  @Test
  void multipliesByBlocksInOneCall() {
    try (DeviceTensor w =
            device.toDevice(
                Tensor.of(Shape.of(4, 4), 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0));
        DeviceTensor x = device.toDevice(Tensor.of(Shape.of(1, 4), 5, 6, 7, 8));
        DeviceTensor y = device.empty(DType.F32, Shape.of(1, 4));
        Buffer none = device.allocate(0)) {
      try (var packed = device.sparse().pack(w, false, null, new SparseFormat.Blocks(2, 2))) {
        assertEquals("2x2", packed.format().label());
        assertEquals(4, packed.nonzeros());
        device.sparse().matmul(packed, x, Epilogue.NONE, y, none); // it is planned
        device.synchronize();
        Simulator.reset();
        device.sparse().matmul(packed, x, Epilogue.NONE, y, none);
        float[] product = device.toHost(y).toFloats();
        assertTrue(Arrays.equals(new float[] {23, 53, 0, 0}, product), Arrays.toString(product));
        assertEquals(1, Simulator.counters().libraryCalls());
        assertEquals(0, Simulator.counters().launches());
        assertEquals(0, Simulator.counters().allocations());
      }
      assertEquals(4, device.liveBuffers());
    }
  }

  @Test
  void leavesNothingBehind() {
    try (Device second = Devices.open("cuda", DeviceOptions.defaults());
        DeviceTensor x = second.toDevice(Tensor.of(Shape.of(2), 1, 2));
        Replay replay = second.replay(() -> second.nn().fill(1, x))) {
      replay.run();
      replay.run();
    }
    device.close();
    assertEquals("", Simulator.leaks());
  }

  @Test
  void refusesABufferOfASecondDevice() {
    try (Device second = Devices.open("cuda", DeviceOptions.defaults());
        Buffer buffer = device.allocate(16)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> second.zero(buffer, 0, 16));
      assertTrue(e.getMessage().contains("not of this cuda device"), e.getMessage());
    }
  }
}
