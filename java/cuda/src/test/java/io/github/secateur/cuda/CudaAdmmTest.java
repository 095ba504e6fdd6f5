package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.AdmmTest;

/** ADMM on the CUDA device that the library path gives: the simulated one. */
class CudaAdmmTest extends AdmmTest {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
