package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.MlpOptions;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A run with everything that a checkpoint must hold: dropout, a hook that prunes and has state,
 * validation, a last batch of another size. Also a program, for tests that kill it.
 */
final class SampleRun {
  private SampleRun() {}

  static final int STEPS_PER_EPOCH = 8;

  /** A network with dropout. */
  static Model model() {
    return Networks.mlp(MlpOptions.of(List.of(4, 24, 12, 3), 11).withDropout(0.2));
  }

  /** 118 samples train, in batches of 16: the last has 6. */
  static DataSplit data() {
    return new DataSplit(Toy.blobs(118, 1), Toy.blobs(40, 2), null);
  }

  static TrainOptions options(Optimizer optimizer, int epochs) {
    return new TrainOptions(
        epochs, 16, optimizer, new LearningRate.Cosine(0.02f), 42, 0, List.of());
  }

  static Trainer trainer(Device device, TrainOptions options) {
    return new Trainer(device, model(), data(), options, List.of(new Nibbler()));
  }

  /**
   * Every third step, prunes the weight that a sum over past gradients points at. The sum is state:
   * a run that loses it prunes other weights.
   */
  static final class Nibbler implements TrainHook {
    private static final String WEIGHT = "fc1.weight";
    private float sum;

    @Override
    public String name() {
      return "nibbler";
    }

    @Override
    public void afterGradients(Training training) {
      for (float g : training.device().toHost(training.gradient(WEIGHT)).toFloats()) {
        sum = (sum * 0.9f + Math.abs(g)) % 17f;
      }
    }

    @Override
    public void afterStep(Training training) {
      if (training.step() % 3 == 2) {
        Mask mask = training.device().toHost(training.mask(WEIGHT));
        mask.set((long) (sum * 1e5f) % mask.size(), false);
        training.device().upload(mask.words(), training.mask(WEIGHT).words(), 0);
        training
            .device()
            .prune()
            .applyMask(training.mask(WEIGHT), training.parameters().get(WEIGHT));
      }
    }

    @Override
    public Map<String, Tensor> state() {
      return Map.of("sum", Tensor.of(Shape.of(), sum));
    }

    @Override
    public void restore(Map<String, Tensor> state) {
      sum = state.get("sum").getFloat(0);
    }
  }

  /**
   * Trains with checkpoints in a file, going on from it when it exists; prints each step and at
   * last the hash of the weights.
   *
   * <p>Arguments: file, epochs, steps between checkpoints.
   */
  public static void main(String[] arguments) {
    Path file = Path.of(arguments[0]);
    try (Device device = Toy.device()) {
      TrainOptions options = options(Optimizer.Adam.defaults(), Integer.parseInt(arguments[1]));
      Trainer trainer =
          trainer(device, options)
              .checkpoint(new Checkpointing(file, Long.parseLong(arguments[2]), 0, 1))
              .progress(
                  new Progress() {
                    @Override
                    public boolean stopRequested() {
                      System.out.println("step");
                      return false;
                    }
                  });
      if (Files.exists(file)) {
        trainer.resume(Checkpoint.read(file));
      }
      System.out.println(Checkpoint.weightsHash(trainer.run().model()));
    } catch (IOException | RuntimeException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }
}
