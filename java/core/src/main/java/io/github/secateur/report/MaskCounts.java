package io.github.secateur.report;

import io.github.secateur.prune.LayerSparsity;
import java.util.List;

/**
 * Exact counts over all masks of a network.
 *
 * @param pruned mask bits that prune
 * @param kept mask bits that keep
 * @param keptZeros kept weights that happen to be ±0
 */
public record MaskCounts(long pruned, long kept, long keptZeros) {
  /** Sum over layers. */
  public static MaskCounts of(List<LayerSparsity> layers) {
    long pruned = 0;
    long size = 0;
    long keptZeros = 0;
    for (LayerSparsity layer : layers) {
      pruned += layer.pruned();
      size += layer.shape().size();
      keptZeros += layer.keptZeros();
    }
    return new MaskCounts(pruned, size - pruned, keptZeros);
  }

  /** Nonzeros that an exported file must hold: kept weights that are not 0. */
  public long nonzeros() {
    return kept - keptZeros;
  }
}
