package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.contract.DeviceContractTest;

/** The contract, on the CUDA device that the library path gives: the simulated one. */
class CudaDeviceContractTest extends DeviceContractTest {
  @Override
  protected Device open() {
    return Devices.open("cuda", DeviceOptions.defaults());
  }
}
