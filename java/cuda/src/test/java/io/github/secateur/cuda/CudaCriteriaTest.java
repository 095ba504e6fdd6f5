package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.CriteriaContract;

/** Criteria on the CUDA device that the library path gives: the simulated one. */
class CudaCriteriaTest extends CriteriaContract {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
