package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Model;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.util.ArrayList;
import java.util.List;

/** Training with learned soft thresholds, folding, the exact cut by magnitude, fine-tuning. */
record StrRun(Stages stages, Strategy.Str how) {
  /** Thresholds start at σ(−7) = 9e-4, below the weights that matter. */
  private static final float FIRST_S = -7;

  /**
   * s moves this many times as fast as the weights: it has to cross several units in few epochs.
   */
  private static final float S_RATE = 20;

  PruneResult run() {
    Model dense = stages.dense();
    List<Layer> layers = stages.changeable();
    int epochs = stages.sparsifyingEpochs(how.share());
    TrainOptions slow = stages.atConstantRate(epochs);
    List<TrainOptions.Rule> rules = new ArrayList<>();
    rules.add(new TrainOptions.Rule(LatentWeights.THRESHOLD, S_RATE, false));
    rules.addAll(slow.rules());
    Model trained =
        stages.train(
            Stages.SPARSIFY,
            LatentWeights.shrunk(dense, layers, FIRST_S),
            slow.withRules(rules),
            List.of(new StrHook(layers, stages.sparsity())));
    Model folded = fold(trained, layers);
    double learned = Census.zeros(stages.census(folded));
    Model cut = stages.cut(folded, Stages.byMagnitude(new Allocation.Global()));
    return stages.result(stages.fineTune(cut, epochs), learned);
  }

  private Model fold(Model trained, List<Layer> layers) {
    Model folded = LatentWeights.restored(trained, stages.dense());
    for (Layer layer : layers) {
      String name = layer.parameter();
      folded
          .graph()
          .initializers()
          .put(
              name,
              shrunk(
                  stages.device(),
                  trained.graph().initializer(name),
                  trained.graph().initializer(name + LatentWeights.THRESHOLD)));
    }
    return folded;
  }

  /** relu(w − σ(s)) − relu(−w − σ(s)), by the operations of the graph. */
  static Tensor shrunk(Device device, Tensor weight, Tensor s) {
    NnOps nn = device.nn();
    try (DeviceTensor w = device.toDevice(weight);
        DeviceTensor t = device.toDevice(s);
        DeviceTensor positive = device.empty(DType.F32, weight.shape());
        DeviceTensor negative = device.empty(DType.F32, weight.shape())) {
      nn.unary(NnOps.Unary.SIGMOID, 0, t, t);
      nn.binary(NnOps.Binary.SUB, w, t, positive);
      nn.unary(NnOps.Unary.RELU, 0, positive, positive);
      nn.unary(NnOps.Unary.NEG, 0, w, w);
      nn.binary(NnOps.Binary.SUB, w, t, negative);
      nn.unary(NnOps.Unary.RELU, 0, negative, negative);
      nn.binary(NnOps.Binary.SUB, positive, negative, positive);
      return device.toHost(positive);
    }
  }
}
