package io.github.secateur.train;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.util.Map;

/**
 * The epoch of lowest validation loss so far. Of equal losses the earlier epoch counts.
 *
 * @param epoch from 1; 0 when there is none yet
 * @param loss its validation loss
 * @param weights host copies of all parameters at its end
 * @param masks and of all masks
 */
record BestEpoch(int epoch, double loss, Map<String, Tensor> weights, Map<String, Mask> masks) {
  /** Before the first epoch. */
  static final BestEpoch NONE = new BestEpoch(0, Double.POSITIVE_INFINITY, Map.of(), Map.of());
}
