package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.train.DataSplit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Tests on {@link Clusters}, on a CPU device that all tests of a class leave without buffers. */
abstract class OnClusters {
  static Device device;
  static DataSplit data;

  @BeforeAll
  static void open() {
    device = Devices.open("cpu", DeviceOptions.defaults());
    data = Clusters.data();
  }

  @AfterAll
  static void close() {
    assertEquals(0, device.liveBuffers(), "live buffers after the tests");
    device.close();
  }
}
