package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.contract.DeviceContractTest;
import io.github.secateur.device.contract.SparseBlockContract;

/** The contract, on the CUDA device that the library path gives: the simulated one. */
class CudaDeviceContractTest extends DeviceContractTest implements SparseBlockContract {
  @Override
  protected Device open() {
    return Devices.open("cuda", DeviceOptions.defaults());
  }
}
