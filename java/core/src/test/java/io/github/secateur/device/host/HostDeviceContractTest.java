package io.github.secateur.device.host;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.contract.DeviceContractTest;

/** The contract, on the CPU. */
class HostDeviceContractTest extends DeviceContractTest {
  @Override
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }
}
