package io.github.secateur.prune;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Progress;
import java.util.List;
import java.util.Locale;

/** Training toward the pattern by ADMM, the exact cut by |w|, fine-tuning. */
record AdmmRun(Stages stages, Strategy.Admm how) {
  PruneResult run() {
    requireFit();
    int epochs = stages.sparsifyingEpochs(how.share());
    if (how.everyEpochs() > epochs) {
      throw new IllegalArgumentException(
          "ADMM trains %d epochs with its penalty, fewer than the %d between two updates; train"
                  .formatted(epochs, how.everyEpochs())
              + " longer, or update more often");
    }
    // A block's norm decides what the nearest pruned matrix is; of single weights the order is |w|.
    Strategy.Scored projection =
        new Strategy.Scored(
            new Criterion.Magnitude(2), how.pattern(), how.allocation(), new Schedule.OneShot());
    Model pulled =
        stages.train(
            Stages.SPARSIFY,
            stages.dense(),
            stages.forEpochs(epochs),
            List.of(new AdmmHook(stages, how, projection)));
    Progress progress = stages.progress();
    progress.begin("projecting", 1);
    Model cut = stages.cut(pulled, projection);
    progress.end(
        String.format(
            Locale.ROOT,
            "the cut takes %.2f %% of the weights' norm",
            100 * residual(pulled, cut, stages.layers())));
    return stages.result(stages.fineTune(cut, epochs), Double.NaN);
  }

  private void requireFit() {
    switch (how.pattern()) {
      case Pattern.Unstructured _, Pattern.Block _, Pattern.Line _ -> {}
      case Pattern.NM nm -> {
        if (nm.permute()) {
          throw new IllegalArgumentException(
              "ADMM projects on N:M in the order that the channels have; leave the permutation"
                  + " out");
        }
      }
      case Pattern.Neuron _, Pattern.Given _ ->
          throw new IllegalArgumentException(
              "ADMM projects on single weights, N:M, blocks or lines; use one of those patterns");
    }
  }

  /** ‖w − z‖ / ‖w‖ over all layers, z the cut: how far training came. */
  private static double residual(Model pulled, Model cut, List<Layer> layers) {
    double lost = 0;
    double all = 0;
    for (Layer layer : layers) {
      Tensor w = pulled.graph().initializer(layer.parameter());
      Mask mask = cut.masks().get(layer.parameter());
      for (long i = 0; i < w.size(); i++) {
        double square = (double) w.getFloat(i) * w.getFloat(i);
        all += square;
        lost += mask == null || mask.kept(i) ? 0 : square;
      }
    }
    return all == 0 ? 0 : Math.sqrt(lost / all);
  }
}
