package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;

/** Criteria on the CPU device. */
class CpuCriteriaTest extends CriteriaContract {
  @Override
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }
}
