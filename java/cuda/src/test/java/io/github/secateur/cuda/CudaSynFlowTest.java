package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.SynFlowContract;

/** SynFlow on the CUDA device that the library path gives: the simulated one. */
class CudaSynFlowTest extends SynFlowContract {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
