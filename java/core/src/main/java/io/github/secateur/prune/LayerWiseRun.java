package io.github.secateur.prune;

import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.solver.Hessian;
import io.github.secateur.solver.LayerProblem;
import io.github.secateur.solver.LayerProblem.Solution;
import io.github.secateur.solver.Obc;
import io.github.secateur.solver.SparseGpt;
import io.github.secateur.solver.Target;
import io.github.secateur.train.Progress;
import io.github.secateur.train.StoppedException;
import java.util.List;
import java.util.Locale;

/**
 * Layer-wise pruning with weight update: layer by layer in the graph's order, each sees the inputs
 * that the pruned layers before it make. Hessians are summed on the device, factored and solved on
 * the host. Then fine-tuning, if there are epochs. What comes before follows from its inputs, so a
 * resumed run does it again.
 */
record LayerWiseRun(Stages stages, Strategy.LayerWise how) {
  PruneResult run() {
    requireFit();
    List<Layer> layers = stages.layers();
    long[] quotas = quotas();
    Model pruned = stages.dense().copy();
    Progress progress = stages.progress();
    progress.begin("solving layers", layers.size());
    double worst = 0;
    try (Parameters parameters = Parameters.upload(stages.device(), pruned.graph())) {
      Samples samples = stages.data().train();
      InputProducts products = new InputProducts(pruned, parameters, samples);
      for (int i = 0; i < layers.size(); i++) {
        if (progress.stopRequested()) {
          throw new StoppedException(
              "stopped before layer %d of %d; a resumed run solves the layers again"
                  .formatted(i + 1, layers.size()));
        }
        Layer layer = layers.get(i);
        if (takes(layer)) {
          LayerMatrix matrix = LayerMatrix.of(layer, pruned, how.pattern() instanceof Pattern.NM);
          double error = solve(layer, matrix, products, quotas[i]);
          parameters.set(layer.parameter(), matrix.tensor());
          pruned.graph().initializers().put(layer.parameter(), matrix.tensor());
          pruned.masks().put(layer.parameter(), matrix.mask());
          worst = Math.max(worst, error);
          progress.update(
              i + 1, String.format(Locale.ROOT, "%s, output error %.4f", layer.name(), error));
        }
      }
    }
    progress.end(
        String.format(
            Locale.ROOT, "%d layers solved, output error at most %.4f", layers.size(), worst));
    return stages.result(stages.fineTune(pruned, 0), Double.NaN);
  }

  /** Layers that are not frozen, of N:M those with m inputs. */
  private boolean takes(Layer layer) {
    boolean fits = !(how.pattern() instanceof Pattern.NM nm) || GroupMasker.takes(layer, nm);
    return fits && !stages.options().limits().frozen().contains(layer.name());
  }

  /**
   * Weights that each layer loses: as many as magnitude would take from it under this allocation
   * and these limits. N:M decides for itself.
   */
  private long[] quotas() {
    if (how.pattern() instanceof Pattern.NM) {
      return new long[stages.layers().size()];
    }
    Strategy.Scored magnitude =
        new Strategy.Scored(
            new Criterion.Magnitude(1),
            new Pattern.Unstructured(),
            how.allocation(),
            new Schedule.OneShot());
    return stages.census(stages.cut(stages.dense(), magnitude)).stream()
        .mapToLong(LayerSparsity::pruned)
        .toArray();
  }

  private void requireFit() {
    switch (how.allocation()) {
      case Allocation.Global _, Allocation.PerOutput _ ->
          throw new IllegalArgumentException(
              "layer-wise pruning solves one layer after the other, so it cannot spread the"
                  + " sparsity by one threshold over all layers or by outputs; use the allocation"
                  + " per layer, erk, lamp or ratios");
      case Allocation.PerLayer _, Allocation.Erk _, Allocation.Lamp _, Allocation.Ratios _ -> {}
    }
    switch (how.pattern()) {
      case Pattern.Unstructured _, Pattern.Block _ -> {}
      case Pattern.NM nm -> {
        if (nm.axis() != Pattern.Axis.INPUT || nm.permute()) {
          throw new IllegalArgumentException(
              "layer-wise pruning takes N:M along the inputs in the order they have; use the axis"
                  + " input, without permutation");
        }
        GroupMasker.requireTaken(stages.layers(), nm);
        Limits limits = stages.options().limits();
        if (limits.maxPruned() < 1 || !limits.maxPrunedOf().isEmpty() || limits.minKept() > 0) {
          throw new IllegalArgumentException(
              "N:M takes the same share of every group of weights, so limits cannot shift it"
                  + " between layers; exclude layers instead");
        }
      }
      case Pattern.Neuron _, Pattern.Line _, Pattern.Given _ ->
          throw new IllegalArgumentException(
              "layer-wise pruning chooses single weights, N:M or blocks; use one of those"
                  + " patterns");
    }
    if (stages.options().rule() != MaskRule.SECATEUR) {
      throw new IllegalArgumentException(
          "the mask rule %s is for scores; layer-wise pruning has its own count, leave it out"
              .formatted(stages.options().rule()));
    }
  }

  /** Names the layer where it cannot be solved. */
  private double solve(Layer layer, LayerMatrix matrix, InputProducts products, long k) {
    List<Hessian> hessians = products.of(layer, how.samples());
    try {
      return solve(layer, matrix, hessians, k);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "layer '%s': %s".formatted(layer.name(), e.getMessage()), e);
    }
  }

  /**
   * Prunes a layer, one group of a convolution after the other.
   *
   * @return ‖W X − Ŵ X‖² / ‖W X‖²
   */
  private double solve(Layer layer, LayerMatrix matrix, List<Hessian> hessians, long k) {
    double lost = 0;
    double all = 0;
    int groups = hessians.size();
    for (int g = 0; g < groups; g++) {
      LayerProblem problem = matrix.problem(hessians.get(g), g, groups, how.damping());
      Target target = target(layer, problem, share(k, g, groups));
      Solution solution =
          switch (how.solver()) {
            case SPARSEGPT -> SparseGpt.solve(problem, target);
            case OBC -> Obc.solve(problem, target);
          };
      matrix.take(solution, g, groups);
      lost += problem.hessian().error(problem.weights(), solution.weights());
      all += problem.hessian().error(problem.weights(), new float[problem.weights().length]);
    }
    return all == 0 ? 0 : lost / all;
  }

  /** Equal parts; the first groups take what is left over. */
  private static long share(long k, int group, int groups) {
    return k / groups + (group < k % groups ? 1 : 0);
  }

  private Target target(Layer layer, LayerProblem problem, long k) {
    return switch (how.pattern()) {
      case Pattern.Unstructured() -> Target.Blocks.single(k);
      case Pattern.Block(int outputs, int inputs) -> {
        long blocks =
            (long) Math.ceilDiv(problem.outputs(), outputs)
                * Math.ceilDiv(problem.inputs(), inputs);
        double sparsity = (double) k / Math.max(1, problem.weights().length);
        yield new Target.Blocks(outputs, inputs, Quotas.count(sparsity, blocks));
      }
      case Pattern.NM nm -> {
        int channels = Math.toIntExact(layer.shape().dim(layer.inputAxis()));
        yield new Target.NM(nm.n(), nm.m(), channels);
      }
      case Pattern.Neuron _, Pattern.Line _, Pattern.Given _ ->
          throw new IllegalStateException("refused before");
    };
  }
}
