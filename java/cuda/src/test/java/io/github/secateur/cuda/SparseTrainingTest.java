package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.SparseMode;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Steps with sparse products, recorded and replayed; a new mask is packed and recorded anew. */
class SparseTrainingTest {
  private static final String WEIGHT = "fc1.weight";

  private static Mask mask(double sparsity, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Mask mask = Mask.ones(Shape.of(33, 20));
    for (long i = 0; i < mask.size(); i++) {
      mask.set(i, random.nextDouble() >= sparsity);
    }
    return mask;
  }

  /** Other weights are kept from the seventh step on. */
  private record Regrow() implements TrainHook {
    @Override
    public String name() {
      return "regrow";
    }

    @Override
    public boolean repeatable() {
      return true;
    }

    @Override
    public void beforeStep(Training training) {
      if (training.step() == 6) {
        Device device = training.device();
        device.upload(mask(0.8, 2).words(), training.mask(WEIGHT).words(), 0);
        device.prune().applyMask(training.mask(WEIGHT), training.parameters().get(WEIGHT));
        training.maskChanged(WEIGHT);
      }
    }
  }

  private static TrainResult train(Device device, SparseMode mode) {
    TrainOptions options =
        new TrainOptions(
            1,
            32,
            Optimizer.Adam.defaults(),
            new LearningRate.Cosine(1e-2f),
            5,
            0,
            List.of(),
            mode);
    Model model = Networks.parse("mlp:20-33-17-5", 3);
    model.masks().put(WEIGHT, mask(0.8, 1));
    return new Trainer(device, model, Toys.data(12 * 32 + 7, 20, 5), options, List.of(new Regrow()))
        .run();
  }

  @Test
  void replaysEqualDenseStepsToRounding() {
    try (Device device = Toys.device()) {
      TrainResult dense = train(device, SparseMode.OFF);
      Simulator.reset();
      TrainResult sparse = train(device, SparseMode.ON);
      assertTrue(Simulator.counters().graphLaunches() > 6, "steps were not replayed");
      double loss = dense.history().getLast().trainLoss();
      assertEquals(loss, sparse.history().getLast().trainLoss(), 1e-4 * loss);
      for (long i = 0; i < 33 * 20; i++) {
        float weight = sparse.model().graph().initializer(WEIGHT).getFloat(i);
        assertTrue(
            mask(0.8, 2).kept(i)
                ? Math.abs(weight - dense.model().graph().initializer(WEIGHT).getFloat(i)) < 1e-3
                : Float.floatToRawIntBits(weight) == 0);
      }
      assertEquals(0, device.liveBuffers());
    }
  }

  @Test
  void whatCannotBeTimedStaysDense() {
    try (Device device = Toys.device()) {
      if (device.info().simulated()) {
        assertEquals(
            Checkpoint.weightsHash(train(device, SparseMode.OFF).model()),
            Checkpoint.weightsHash(train(device, SparseMode.AUTO).model()));
      }
    }
  }
}
