package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.UnitMaskContract;

/** Units on the CUDA device that the library path gives: the simulated one. */
class CudaUnitMaskTest extends UnitMaskContract {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
