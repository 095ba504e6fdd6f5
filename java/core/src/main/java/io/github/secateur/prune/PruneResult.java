package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.train.EpochRecord;
import java.util.List;

/**
 * Result of pruning a network.
 *
 * @param model the pruned network: masked weights are exactly +0, masks attached
 * @param requested sparsity asked for, over prunable weights
 * @param reached pruned over prunable weights of {@code model}
 * @param learned sparsity that sparsifying training reached by itself before the exact cut; NaN
 *     where nothing was learned
 * @param layers by layer
 * @param history of sparsifying and fine-tuning epochs
 */
public record PruneResult(
    Model model,
    double requested,
    double reached,
    double learned,
    List<LayerSparsity> layers,
    List<EpochRecord> history) {
  /** Copies the lists. */
  public PruneResult {
    layers = List.copyOf(layers);
    history = List.copyOf(history);
  }
}
