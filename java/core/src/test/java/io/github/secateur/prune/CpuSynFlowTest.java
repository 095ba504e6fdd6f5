package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;

/** SynFlow on the CPU device. */
class CpuSynFlowTest extends SynFlowContract {
  @Override
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }
}
