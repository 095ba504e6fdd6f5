package io.github.secateur.device.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceProvider;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.NativeBuffer;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** What only the CPU device promises. */
class HostDeviceTest {
  @Test
  void isFoundByName() {
    DeviceProvider cpu =
        Devices.providers().stream().filter(p -> p.name().equals("cpu")).findFirst().orElseThrow();
    assertEquals(0, cpu.rank());
    assertTrue(cpu.probe().usable(), cpu.probe().description());
    assertFalse(cpu.probe().description().isBlank());
  }

  @Test
  void saysWhatItRunsOn() {
    try (Device device = Devices.open("cpu", new DeviceOptions(1))) {
      Map<String, String> details = device.info().details();
      assertEquals(
          List.of(
              "processor",
              "isa",
              "threads",
              "library",
              "blas",
              "blas-core",
              "blas-held-back",
              "blas-library"),
          List.copyOf(details.keySet()));
      details.forEach((key, value) -> assertFalse(value.isBlank(), key));
      assertEquals("1", details.get("threads"));
      assertTrue(List.of("yes", "no").contains(details.get("blas-held-back")));
      assertTrue(details.get("blas").startsWith("OpenBLAS"), details.get("blas"));
      assertTrue(device.info().description().contains("1 thread,"));
    } finally {
      Devices.open("cpu", DeviceOptions.defaults()).close(); // all threads again
    }
  }

  @Test
  void saysThatItHasNoLargeBlocks() {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults());
        DeviceTensor w = device.toDevice(Tensor.of(Shape.of(2, 2), 1, 2, 3, 4))) {
      var e =
          assertThrows(
              DeviceException.class,
              () -> device.sparse().pack(w, false, null, new SparseFormat.Blocks(32, 32)));
      assertEquals(DeviceException.Status.UNAVAILABLE, e.status());
      assertTrue(e.getMessage().contains("no sparse format '32x32'"), e.getMessage());
    }
  }

  @Test
  void closesOnceAndIsOfNoUseAfterwards() {
    Device device = Devices.open("cpu", DeviceOptions.defaults());
    device.close();
    device.close();
    IllegalStateException e = assertThrows(IllegalStateException.class, () -> device.allocate(8));
    assertTrue(e.getMessage().contains("closed"), e.getMessage());
  }

  @Test
  void refusesABufferOfASecondDevice() {
    try (Device one = Devices.open("cpu", DeviceOptions.defaults());
        Device two = Devices.open("cpu", DeviceOptions.defaults());
        Buffer buffer = one.allocate(16)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> two.zero(buffer, 0, 16));
      assertTrue(e.getMessage().contains("not of this cpu device"), e.getMessage());
    }
  }

  @Test
  void reportsABufferThatIsLost() throws InterruptedException {
    CountDownLatch reported = new CountDownLatch(1);
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            if (String.valueOf(logged.getParameters()[0]).equals("12345")) {
              reported.countDown();
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger(NativeBuffer.class.getName());
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    try {
      lose(12345);
      for (int i = 0; i < 50 && reported.getCount() > 0; i++) {
        System.gc();
        reported.await(100, TimeUnit.MILLISECONDS);
      }
      assertEquals(0, reported.getCount(), "the lost buffer was reported");
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
  }

  /** Loses a buffer, and with it the device, which cannot be closed any more. */
  private static void lose(long bytes) {
    Devices.open("cpu", DeviceOptions.defaults()).allocate(bytes);
  }

  @Test
  void saysWhichFunctionALibraryLacks() {
    var handle = Abi.bind("secateur_no_such_function", Abi.INT, Abi.LONG);
    var e =
        assertThrows(
            DeviceException.class,
            () -> {
              int status = (int) handle.invokeExact(0L);
              Abi.check("never", status);
            });
    assertTrue(e.getMessage().contains("secateur_no_such_function"), e.getMessage());
    assertTrue(e.getMessage().contains("libsecateur.so"), e.getMessage());
  }
}
