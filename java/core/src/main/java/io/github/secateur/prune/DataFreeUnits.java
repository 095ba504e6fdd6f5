package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * Whole neurons and channels of an ONNX model, by what their weights say. Unlike single weights,
 * they need a graph whose operators are known, since what is tied to a unit goes with it.
 */
final class DataFreeUnits {
  private DataFreeUnits() {}

  /** Refuses criteria that look at more than weights. */
  static void requireDataFree(Criterion criterion) {
    switch (criterion) {
      case Criterion.Magnitude _,
          Criterion.Random _,
          Criterion.Given _,
          Criterion.NormScale _,
          Criterion.GeometricMedian _ -> {}
      case Criterion.Activation _,
          Criterion.Snip _,
          Criterion.Grasp _,
          Criterion.Taylor _,
          Criterion.Fisher _,
          Criterion.Wanda _,
          Criterion.Lamp _,
          Criterion.SynFlow _ ->
          throw new IllegalArgumentException(
              "without data, units are scored by magnitude, norm-scale, geometric-median, random or"
                  + " scores of your own, not by "
                  + criterion.getClass().getSimpleName());
    }
  }

  static DataFree.Result prune(Device device, Model model, DataFree.Options options) {
    List<Layer> layers = Layers.trainable(model, options.limits());
    Strategy.Scored how =
        new Strategy.Scored(
            options.criterion(), options.pattern(), options.allocation(), new Schedule.OneShot());
    PruneOptions once =
        new PruneOptions(how, 0, TrainOptions.adam(1, 1e-3f, 1).withEpochs(0))
            .with(options.limits())
            .with(options.budget());
    double share = options.budget() instanceof Budget.Sparsity(double sparsity) ? sparsity : 0;
    Model pruned = new Pruners(model, layers, how, share, once).once(device, null);
    List<LayerSparsity> taken = Census.of(layers, pruned.graph().initializers(), pruned.masks());
    List<DataFree.Left> left = new ArrayList<>();
    options.limits().exclude().forEach(name -> left.add(new DataFree.Left(name, "excluded")));
    double reached = Census.sparsity(taken);
    boolean asked =
        options.budget() instanceof Budget.Sparsity
            && !(options.allocation() instanceof Allocation.Ratios);
    return new DataFree.Result(pruned, asked ? share : reached, reached, taken, left);
  }
}
