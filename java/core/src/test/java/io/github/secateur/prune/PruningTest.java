package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.graph.Model;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.Progress;
import io.github.secateur.train.StoppedException;
import io.github.secateur.train.TrainOptions;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole runs on a small problem: three clusters in 20 dimensions, of which 4 tell them apart. */
class PruningTest extends OnClusters {
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Pattern WEIGHTS = new Pattern.Unstructured();
  private static final Criterion MAGNITUDE = new Criterion.Magnitude(Norm.L1);
  private static final int EPOCHS = 12;

  private static Model dense;

  @TempDir Path folder;

  @BeforeAll
  static void trainDense() {
    dense = Clusters.trained(device, data);
  }

  static Stream<Strategy> strategies() {
    Schedule gradual = new Schedule.Polynomial(0, 0.6, 3, 20);
    return Stream.of(
        new Strategy.Scored(MAGNITUDE, WEIGHTS, GLOBAL, new Schedule.OneShot()),
        new Strategy.Scored(MAGNITUDE, WEIGHTS, GLOBAL, gradual),
        new Strategy.Scored(MAGNITUDE, WEIGHTS, GLOBAL, new Schedule.Iterative(3)),
        new Strategy.Scored(new Criterion.Random(3), WEIGHTS, GLOBAL, gradual),
        new Strategy.Scored(MAGNITUDE, WEIGHTS, GLOBAL, new Schedule.Cyclic(3, 10)),
        new Strategy.AcDc(GLOBAL, 0.25, 1),
        new Strategy.TopKast(GLOBAL, 0.5, 10, 1e-4),
        new Strategy.Movement(false, GLOBAL, gradual),
        new Strategy.Movement(true, GLOBAL, gradual),
        new Strategy.Str(0.5),
        new Strategy.L1(GLOBAL, 0.5),
        new Strategy.Gates(WEIGHTS, GLOBAL, 0.5));
  }

  static Stream<Strategy> neuronStrategies() {
    Pattern neurons = new Pattern.Neuron();
    Schedule gradual = new Schedule.Polynomial(0, 0.6, 3, 20);
    return Stream.of(
        new Strategy.Scored(MAGNITUDE, neurons, GLOBAL, gradual),
        new Strategy.Scored(MAGNITUDE, neurons, GLOBAL, new Schedule.Cyclic(2, 10)),
        new Strategy.GroupLasso(neurons, GLOBAL, 0.5),
        new Strategy.Scored(new Criterion.Activation(Statistic.RMS, 130), neurons, GLOBAL, gradual),
        new Strategy.Gates(neurons, GLOBAL, 0.5));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void exactlyTheWeightsAskedForArePlusZeroAtTheEnd(Strategy strategy) {
    PruneResult result =
        Pruning.run(device, dense, data, new PruneOptions(strategy, 0.8, Clusters.options(EPOCHS)));
    long total = 20 * 24 + 24 * 16 + 16 * 3;
    long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
    assertEquals(Quotas.count(0.8, total), pruned);
    assertEquals(0.8, result.requested());
    assertEquals((double) pruned / total, result.reached());
    Clusters.assertPlusZero(result.model());
    assertEquals(EPOCHS, result.history().size());
    assertEquals(EPOCHS, result.history().getLast().epoch());
    boolean random = strategy.toString().contains("Random");
    assertTrue(
        Clusters.accuracy(device, result.model(), data) > (random ? 0.5 : 0.9),
        strategy + ": " + Clusters.accuracy(device, result.model(), data));
  }

  @ParameterizedTest
  @MethodSource("neuronStrategies")
  void neuronsEndNearTheTarget(Strategy strategy) {
    PruneResult result =
        Pruning.run(device, dense, data, new PruneOptions(strategy, 0.6, Clusters.options(EPOCHS)));
    assertEquals(0.6, result.reached(), 0.03);
    Clusters.assertPlusZero(result.model());
    for (LayerSparsity layer : result.layers().subList(0, 2)) {
      assertEquals(
          layer.deadUnits(), result.model().masks().get(layer.layer() + ".bias").prunedCount());
    }
    assertTrue(
        Clusters.accuracy(device, result.model(), data) > 0.9,
        strategy + ": " + Clusters.accuracy(device, result.model(), data));
  }

  @ParameterizedTest
  @MethodSource({"strategies", "neuronStrategies"})
  void aRunThatIsStoppedAnywhereResumesBitForBit(Strategy strategy) {
    PruneOptions options = new PruneOptions(strategy, 0.7, Clusters.options(4));
    PruneResult whole = Pruning.run(device, dense, data, options);
    Checkpointing often = new Checkpointing(folder.resolve("run.ckpt"), 7, 0, 1);
    PruneResult resumed = null;
    for (int budget = 9; resumed == null; budget += 4) {
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
    assertEquals(whole.reached(), resumed.reached());
    assertEquals(whole.learned(), resumed.learned());
    assertEquals(whole.layers(), resumed.layers());
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void runsRepeat(Strategy strategy) {
    PruneOptions options = new PruneOptions(strategy, 0.7, Clusters.options(2));
    assertEquals(
        Checkpoint.weightsHash(Pruning.run(device, dense, data, options).model()),
        Checkpoint.weightsHash(Pruning.run(device, dense, data, options).model()));
  }

  /** Gates may close more than asked for: on this problem most weights are of no use. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 0.8, 0.9, 0.95})
  void learningComesNearTheTargetBeforeTheCut(double target) {
    PruneOptions l1 = new PruneOptions(new Strategy.L1(GLOBAL, 0.9), target, Clusters.options(50));
    assertEquals(target, Pruning.run(device, dense, data, l1).learned(), 0.03);
    PruneOptions gates =
        new PruneOptions(new Strategy.Gates(WEIGHTS, GLOBAL, 0.9), target, Clusters.options(50));
    double shut = Pruning.run(device, dense, data, gates).learned();
    assertTrue(shut > target - 0.1 && shut < target + 0.2, "shut " + shut);
  }

  @Test
  void earlyStoppingWithAGradualScheduleIsRefused() {
    TrainOptions o = Clusters.options(4);
    TrainOptions patient =
        new TrainOptions(
            o.epochs(), o.batchSize(), o.optimizer(), o.learningRate(), o.seed(), 2, o.rules());
    Strategy gradual =
        new Strategy.Scored(MAGNITUDE, WEIGHTS, GLOBAL, Schedule.Polynomial.defaults());
    assertThrows(
        IllegalArgumentException.class,
        () -> Pruning.run(device, dense, data, new PruneOptions(gradual, 0.5, patient)));
  }

  @Test
  void stageFilesAreNamedFromTheRun() {
    assertEquals(
        Path.of("a/run.sparsify.ckpt"), Stages.stageFile(Path.of("a/run.ckpt"), "sparsify"));
    assertEquals(Path.of("run.finetune"), Stages.stageFile(Path.of("run"), "finetune"));
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
}
