package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.Progress;
import io.github.secateur.train.StoppedException;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** A small problem for whole runs: three clusters in 20 dimensions, of which 4 tell them apart. */
final class Clusters {
  /** Weights of {@link #untrained}. */
  static final long WEIGHTS = 20 * 24 + 24 * 16 + 16 * 3;

  private Clusters() {}

  static DataSplit data() {
    return DataSplit.of(samples(600, 1)).withTest(samples(300, 2));
  }

  static Model untrained() {
    return Networks.parse("mlp:20-24-16-3", 3);
  }

  static Model trained(Device device, DataSplit data) {
    Model dense = new Trainer(device, untrained(), data, options(10), List.of()).run().model();
    assertTrue(accuracy(device, dense, data) > 0.95);
    return dense;
  }

  /** 30 steps an epoch. */
  static TrainOptions options(int epochs) {
    return new TrainOptions(
        epochs, 20, Optimizer.Adam.defaults(), new LearningRate.Cosine(5e-3f), 11, 0, List.of());
  }

  static double accuracy(Device device, Model model, DataSplit data) {
    return Evaluator.evaluate(device, model, data.test()).accuracy();
  }

  /** All masked weights are +0, and there are masks. */
  static void assertPlusZero(Model model) {
    assertTrue(!model.masks().isEmpty());
    model
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weight = model.graph().initializer(name);
              for (long i = 0; i < mask.size(); i++) {
                assertTrue(mask.kept(i) || Float.floatToRawIntBits(weight.getFloat(i)) == 0, name);
              }
            });
  }

  /** A run that is stopped again and again, in every stage, ends with the bits of a whole one. */
  static void assertResumes(Pruning whole, Pruning interrupted, Path folder, int longest) {
    PruneResult expected = whole.run();
    interrupted.checkpoint(new Checkpointing(folder.resolve("run.ckpt"), 7, 0, 1)).resume();
    PruneResult resumed = null;
    for (int budget = 9; resumed == null; budget += 4) {
      try {
        resumed = interrupted.progress(stopAfter(budget)).run();
      } catch (StoppedException e) {
        assertTrue(budget < longest, "no end: " + e.getMessage());
      }
    }
    assertEquals(Checkpoint.weightsHash(expected.model()), Checkpoint.weightsHash(resumed.model()));
    assertEquals(expected.reached(), resumed.reached());
    assertEquals(expected.learned(), resumed.learned());
    assertEquals(expected.layers(), resumed.layers());
  }

  private static Progress stopAfter(int questions) {
    return new Progress() {
      private int asked;

      @Override
      public boolean stopRequested() {
        return ++asked > questions;
      }
    };
  }

  private static Samples samples(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[n * 20];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      for (int j = 0; j < 20; j++) {
        double centre = j < 4 ? ((labels[i] >> (j & 1)) & 1) * 2 - 1 : 0;
        x[i * 20 + j] = (float) (centre + 0.5 * random.nextGaussian());
      }
    }
    return new Samples(
        Tensor.of(Shape.of(n, 20), x), Tensor.ofInts(Shape.of(n), labels), 3, "", "clusters");
  }
}
