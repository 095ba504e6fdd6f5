package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Device;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Tests on one device, opened for each of them and left without live buffers. */
public abstract class OnDevice {
  protected Device device;

  /** Opens the device under test. */
  protected abstract Device open();

  @BeforeEach
  void openDevice() {
    device = open();
  }

  @AfterEach
  void closeDevice() {
    assertEquals(0, device.liveBuffers(), "live buffers after the test");
    assertEquals(0, device.liveBytes(), "live bytes after the test");
    device.close();
  }
}
