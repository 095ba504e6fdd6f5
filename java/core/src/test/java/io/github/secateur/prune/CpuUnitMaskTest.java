package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;

/** Units on the CPU with one thread, beside the CPU with all. */
class CpuUnitMaskTest extends UnitMaskContract {
  @Override
  protected Device open() {
    return Devices.open("cpu", new DeviceOptions(1));
  }
}
