package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;

/** Criteria of units on the CPU device. */
class CpuUnitCriteriaTest extends UnitCriteriaContract {
  @Override
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }
}
