package io.github.secateur.sparse;

import java.util.List;

/**
 * How one layer runs at one batch size, and the measurement behind it.
 *
 * @param layer node name
 * @param batch samples a run
 * @param sparsity zeros over all weights of the layer, 0..1
 * @param denseMicros median time of the dense product and of the bias and activation that follow
 *     it, microseconds
 * @param sparseMicros median time of the fastest sparse product, with bias and activation
 * @param chosen whether the layer runs sparse
 * @param layout label of the fastest sparse format
 * @param bytes size of the packed weight on the device; from the cache, that of a weight of alike
 *     density
 * @param candidates all sparse formats that were timed, fastest first, those that stopped early
 *     last
 * @param breakEven the sparsity from which a layer like this pays sparse, or null when that was not
 *     asked for
 * @param cached whether the times were taken in an earlier run
 */
public record SparseChoice(
    String layer,
    long batch,
    double sparsity,
    double denseMicros,
    double sparseMicros,
    boolean chosen,
    String layout,
    long bytes,
    List<Candidate> candidates,
    BreakEven breakEven,
    boolean cached) {
  /** Copies the list; null, as in old reports, is none. */
  public SparseChoice {
    candidates = candidates == null ? List.of() : List.copyOf(candidates);
  }

  /** Measured in this run, with the two times alone. */
  public SparseChoice(
      String layer,
      long batch,
      double sparsity,
      double denseMicros,
      double sparseMicros,
      boolean chosen,
      String layout,
      long bytes) {
    this(
        layer,
        batch,
        sparsity,
        denseMicros,
        sparseMicros,
        chosen,
        layout,
        bytes,
        List.of(),
        null,
        false);
  }

  /** Dense over sparse time: above 1 the sparse product is faster. */
  public double speedup() {
    return denseMicros / sparseMicros;
  }

  /** The same measurement, and the layer runs dense. */
  SparseChoice dense() {
    return new SparseChoice(
        layer,
        batch,
        sparsity,
        denseMicros,
        sparseMicros,
        false,
        layout,
        bytes,
        candidates,
        breakEven,
        cached);
  }

  /** For example {@code fc2 at 72 % runs dense: sparse pays from 81 % on here}. */
  public String sentence() {
    String runs = chosen ? "sparse (" + layout + ")" : "dense";
    String start = "%s at %s runs %s".formatted(layer, BreakEven.percent(sparsity), runs);
    return breakEven == null ? start : start + ": " + breakEven.sentence();
  }
}
