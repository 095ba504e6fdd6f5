package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.LayerWiseTest;

/** Layer-wise pruning on the CUDA device that the library path gives: the simulated one. */
class CudaLayerWiseTest extends LayerWiseTest {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
