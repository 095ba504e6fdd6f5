package io.github.secateur.device.host;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.contract.SelectPropertyTest;

/** The property of selection, on the CPU. */
class HostSelectPropertyTest extends SelectPropertyTest {
  @Override
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }
}
