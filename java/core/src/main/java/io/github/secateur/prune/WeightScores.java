package io.github.secateur.prune;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import java.util.List;

/**
 * One score a weight, a tensor a layer.
 *
 * @param key how they are ranked
 * @param tensors F32 of the weights' shapes, in the order of the layers
 * @param owned whether they are closed with this
 */
record WeightScores(PruneOps.Key key, List<DeviceTensor> tensors, boolean owned)
    implements Pruner.Scores {
  @Override
  public void close() {
    if (owned) {
      tensors.forEach(DeviceTensor::close);
    }
  }
}
