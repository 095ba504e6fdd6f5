package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.UnitCriteriaContract;

/** Criteria of units on the CUDA device that the library path gives: the simulated one. */
class CudaUnitCriteriaTest extends UnitCriteriaContract {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
