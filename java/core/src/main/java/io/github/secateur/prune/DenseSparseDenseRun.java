package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import java.util.List;

/**
 * Prunes by magnitude, trains under the masks, lifts them and trains on: what was pruned grows from
 * 0. Masks that the network came with stay. The result is dense; its {@link PruneResult#learned} is
 * the sparsity of the sparse part. Each part goes through the learning-rate schedule once.
 */
record DenseSparseDenseRun(Stages stages, Strategy.DenseSparseDense how) {
  PruneResult run() {
    int sparseEpochs = stages.sparsifyingEpochs(how.share());
    Model cut = stages.cut(stages.dense(), Stages.byMagnitude(how.allocation()));
    Model sparse = stages.train("sparse", cut, stages.forEpochs(sparseEpochs), List.of());
    double sparsity = Census.sparsity(stages.census(sparse));
    Model lifted = sparse.copy();
    lifted.masks().clear();
    lifted.masks().putAll(stages.dense().masks());
    int denseEpochs = stages.options().fineTune().epochs() - sparseEpochs;
    Model dense =
        stages.train(
            "dense", lifted, stages.options().fineTune().withEpochs(denseEpochs), List.of());
    return stages.result(dense, sparsity);
  }
}
