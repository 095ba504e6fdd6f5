package io.github.secateur.cuda.device;

/**
 * One planned product of a compressed matrix M [rows, cols] with activations x [batch, cols]: y
 * [batch, rows] = x · Mᵀ, in cuSPARSE's columns Y = M · X.
 */
interface WeightProduct extends AutoCloseable {
  /** Addresses of the activations of one product. */
  record Activations(long batch, long x, long y) {}

  /** Enqueues it; the batch is the one it was planned for. */
  void run(String operation, Activations activations);

  @Override
  void close();
}
