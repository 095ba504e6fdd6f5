package io.github.secateur.sparse;

/**
 * How one layer runs at one batch size, and the measurement behind it.
 *
 * @param layer node name
 * @param batch samples a run
 * @param sparsity zeros over all weights of the layer, 0..1
 * @param denseMicros median time of the dense product, microseconds
 * @param sparseMicros median time of the sparse product, microseconds
 * @param chosen whether the layer runs sparse
 * @param layout name of the packed layout
 * @param bytes size of the packed weight on the device
 */
public record SparseChoice(
    String layer,
    long batch,
    double sparsity,
    double denseMicros,
    double sparseMicros,
    boolean chosen,
    String layout,
    long bytes) {
  /** Dense over sparse time: above 1 the sparse product is faster. */
  public double speedup() {
    return denseMicros / sparseMicros;
  }
}
