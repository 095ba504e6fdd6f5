package io.github.secateur.train;

/**
 * Whether the products of layers under a mask run sparse while training: forward, gradient of the
 * activations and gradient of the weights. Their sums are rounded in another order than those of
 * dense products, so that losses agree to about 1e-4, not bit for bit.
 */
public enum SparseMode {
  /** Dense, whatever the masks: results follow from seed, device and versions alone. */
  OFF,
  /**
   * Each layer from the sparsity on at which that was measured faster, on this device at this batch
   * size. Measured once in a run, when its first weight is pruned, and kept in its checkpoints, so
   * that a resumed run repeats it bit for bit; another run may measure otherwise. A simulated
   * device, which cannot be timed, runs dense.
   */
  AUTO,
  /** Every layer of whose weights any is pruned. */
  ON
}
