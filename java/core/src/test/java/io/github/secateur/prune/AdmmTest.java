package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.Progress;
import io.github.secateur.train.StoppedException;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** ADMM on a small problem; also run on the simulated CUDA device. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public class AdmmTest {
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Pattern WEIGHTS = new Pattern.Unstructured();

  @TempDir Path folder;

  private Device device;
  private DataSplit data;
  private Model dense;

  /** The device under test. */
  protected Device open() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  @BeforeAll
  void trainDense() {
    device = open();
    data = DataSplit.of(samples(200, 1));
    dense =
        new Trainer(device, Networks.parse("mlp:12-16-3", 3), data, options(4), List.of())
            .run()
            .model();
  }

  @AfterAll
  void closeDevice() {
    assertEquals(0, device.liveBuffers());
    device.close();
  }

  @Test
  void exactlyTheWeightsAskedForArePlusZeroAtTheEnd() {
    PruneResult result = prune(new Strategy.Admm(WEIGHTS, GLOBAL, 0.01, 1, 0.5), 0.8, 6);
    long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
    assertEquals(Quotas.count(0.8, 12 * 16 + 16 * 3), pruned);
    assertEquals(6, result.history().size());
    result
        .model()
        .masks()
        .forEach(
            (name, mask) -> {
              Tensor weight = result.model().graph().initializer(name);
              for (long i = 0; i < mask.size(); i++) {
                assertTrue(mask.kept(i) || Float.floatToRawIntBits(weight.getFloat(i)) == 0, name);
              }
            });
  }

  /** The larger ρ, the smaller what the cut takes. */
  @Test
  void thePenaltyPullsWeightsToThePattern() {
    double free = shareCut(1e-9);
    double pulled = shareCut(1);
    assertTrue(pulled < 0.5 * free, pulled + " of " + free);
  }

  private double shareCut(double rho) {
    List<String> said = new ArrayList<>();
    Strategy.Admm how = new Strategy.Admm(WEIGHTS, GLOBAL, rho, 1, 0.9);
    new Pruning(device, dense, data, new PruneOptions(how, 0.8, options(20)))
        .progress(
            new Progress() {
              @Override
              public void end(String summary) {
                said.add(summary);
              }
            })
        .run();
    String cut = said.stream().filter(s -> s.startsWith("the cut takes")).findFirst().orElseThrow();
    return Double.parseDouble(cut.split(" ")[3]);
  }

  /**
   * By hand in double precision: the first step of plain gradient descent with ρ differs from the
   * one without by −lr · ρ · (w − Π(w)).
   */
  @Test
  void theGradientOfThePenaltyIsRhoTimesTheDistance() {
    float rho = 0.5f;
    float lr = 0.01f;
    TrainOptions sgd =
        new TrainOptions(
            1, 200, new Optimizer.Sgd(0, 0, false), new LearningRate.Constant(lr), 7, 0, List.of());
    Model plain = new Trainer(device, dense, data, sgd, List.of()).run().model();
    Strategy.Admm how = new Strategy.Admm(WEIGHTS, GLOBAL, rho, 5, 0.5);
    Strategy.Scored projection =
        new Strategy.Scored(new Criterion.Magnitude(2), WEIGHTS, GLOBAL, new Schedule.OneShot());
    PruneOptions options = new PruneOptions(how, 0.6, options(2));
    Stages stages =
        new Stages(device, dense, data, options, new Stages.Saving(null, false, Progress.NONE));
    Model pulled =
        new Trainer(device, dense, data, sgd, List.of(new AdmmHook(stages, how, projection)))
            .run()
            .model();
    Model cut = stages.cut(dense, projection);
    for (Layer layer : stages.layers()) {
      Tensor w = dense.graph().initializer(layer.parameter());
      Mask kept = cut.masks().get(layer.parameter());
      for (long i = 0; i < w.size(); i++) {
        float without = plain.graph().initializer(layer.parameter()).getFloat(i);
        float with = pulled.graph().initializer(layer.parameter()).getFloat(i);
        double distance = kept.kept(i) ? 0 : w.getFloat(i);
        assertEquals(without - (double) lr * rho * distance, with, 1e-6);
      }
    }
  }

  @Test
  void aRunThatIsStoppedAnywhereResumesBitForBit() {
    PruneOptions options =
        new PruneOptions(new Strategy.Admm(WEIGHTS, GLOBAL, 0.01, 2, 0.7), 0.7, options(6));
    PruneResult whole = Pruning.run(device, dense, data, options);
    Checkpointing often = new Checkpointing(folder.resolve("run.ckpt"), 3, 0, 1);
    PruneResult resumed = null;
    for (int budget = 7; resumed == null; budget += 5) {
      try {
        resumed =
            new Pruning(device, dense, data, options)
                .checkpoint(often)
                .progress(stopAfter(budget))
                .resume()
                .run();
      } catch (StoppedException e) {
        assertTrue(budget < 200, "no end: " + e.getMessage());
      }
    }
    assertEquals(Checkpoint.weightsHash(whole.model()), Checkpoint.weightsHash(resumed.model()));
    assertEquals(whole.layers(), resumed.layers());
  }

  @Test
  void whatDoesNotFitIsRefusedInOneSentence() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(new Strategy.Admm(WEIGHTS, GLOBAL, 0.01, 9, 0.5), 0.5, 6));
    assertTrue(e.getMessage().contains("3 epochs"), e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> prune(new Strategy.Admm(new Pattern.Neuron(), GLOBAL, 0.01, 1, 0.5), 0.5, 6));
    assertTrue(e.getMessage().contains("blocks or lines"), e.getMessage());
  }

  private PruneResult prune(Strategy strategy, double sparsity, int epochs) {
    return Pruning.run(device, dense, data, new PruneOptions(strategy, sparsity, options(epochs)));
  }

  private static TrainOptions options(int epochs) {
    return new TrainOptions(
        epochs, 20, Optimizer.Adam.defaults(), new LearningRate.Cosine(5e-3f), 11, 0, List.of());
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
    float[] x = new float[n * 12];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      for (int j = 0; j < 12; j++) {
        x[i * 12 + j] = (float) ((j / 4 == labels[i] ? 1 : 0) + 0.5 * random.nextGaussian());
      }
    }
    return new Samples(
        Tensor.of(Shape.of(n, 12), x), Tensor.ofInts(Shape.of(n), labels), 3, "", "blobs");
  }
}
