package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.prune.CriterionPatternContract;

/** Criteria and methods by patterns on the CUDA device that the library path gives. */
class CudaCriterionPatternTest extends CriterionPatternContract {
  @Override
  protected Device open() {
    return Toys.device();
  }
}
