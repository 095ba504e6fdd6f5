package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lottery tickets, and dense-sparse-dense training: strategies of several trainings. */
class LotteryTicketTest extends OnClusters {
  private static final Allocation GLOBAL = new Allocation.Global();

  @TempDir Path folder;

  private Pruning ticket(long rewind, boolean reinitialize, Allocation allocation) {
    Strategy how = new Strategy.LotteryTicket(2, rewind, reinitialize, allocation);
    return new Pruning(
            device, Clusters.untrained(), data, new PruneOptions(how, 0.84, Clusters.options(3)))
        .checkpoint(new Checkpointing(folder.resolve("run.ckpt"), 0, 0, 1));
  }

  /** Weights after so many steps of training from the start. */
  private static Map<String, Tensor> after(long steps) {
    Map<String, Tensor> weights = new HashMap<>();
    TrainHook hook =
        new TrainHook() {
          @Override
          public String name() {
            return "copy";
          }

          @Override
          public void beforeStep(Training training) {
            if (training.step() == steps) {
              training
                  .parameters()
                  .names()
                  .forEach(n -> weights.put(n, training.parameters().toHost(n)));
            }
          }
        };
    new Trainer(device, Clusters.untrained(), data, Clusters.options(3), List.of(hook)).run();
    return weights;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 17})
  void ticketsStartFromTheWeightsOfTheirStep(long rewind) throws IOException {
    PruneResult result = ticket(rewind, false, GLOBAL).run();
    Map<String, Tensor> first = after(rewind);
    Mask smaller = null;
    for (String stage : List.of("round2", "ticket")) {
      Model start = Checkpoint.read(folder.resolve("run." + stage + ".ckpt")).initialModel();
      Map<String, Mask> masks =
          Checkpoint.read(folder.resolve("run." + stage + ".ckpt")).model().masks();
      for (Layer layer : Layers.trainable(start)) {
        Mask mask = masks.get(layer.parameter());
        Tensor from = first.get(layer.parameter());
        Tensor weight = start.graph().initializer(layer.parameter());
        for (long i = 0; i < mask.size(); i++) {
          int bits = mask.kept(i) ? Float.floatToRawIntBits(from.getFloat(i)) : 0;
          assertEquals(bits, Float.floatToRawIntBits(weight.getFloat(i)), layer + " " + i);
        }
      }
      Mask mask = masks.get("fc1.weight");
      if (smaller != null) {
        assertTrue(Masks.and(smaller, mask).bitEquals(mask), "masks grew");
      }
      smaller = mask;
    }
    long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
    assertEquals(Quotas.count(0.84, Clusters.WEIGHTS), pruned);
    Clusters.assertPlusZero(result.model());
    assertEquals(9, result.history().size());
    assertEquals(9, result.history().getLast().epoch());
    // After round 1: kept √0.16 = 0.4.
    assertEquals(
        (double) Quotas.count(0.6, Clusters.WEIGHTS) / Clusters.WEIGHTS,
        result.history().get(4).sparsity());
  }

  @Test
  void theControlStartsFromOtherWeightsUnderTheSameMask() throws IOException {
    PruneResult ticket = ticket(0, false, GLOBAL).run();
    PruneResult control = ticket(0, true, GLOBAL).run();
    assertTrue(
        ticket
            .model()
            .masks()
            .get("fc1.weight")
            .bitEquals(control.model().masks().get("fc1.weight")));
    assertNotEquals(
        Checkpoint.weightsHash(ticket.model()), Checkpoint.weightsHash(control.model()));
    Model start = Checkpoint.read(folder.resolve("run.ticket.ckpt")).initialModel();
    float[] sorted = start.graph().initializer("fc1.weight").toFloats();
    Arrays.sort(sorted);
    float[] first = Clusters.untrained().graph().initializer("fc1.weight").toFloats();
    for (float weight : sorted) {
      boolean found = weight == 0;
      for (float w : first) {
        found |= w == weight;
      }
      assertTrue(found, "not of the layer's first weights: " + weight);
    }
  }

  /** fc3 is pruned at half the rate: kept 1 − x/2 where the others keep 1 − x, per round. */
  @Test
  void theOutputLayerIsPrunedAtHalfTheRate() {
    PruneResult result = ticket(0, false, new Allocation.PerLayer()).run();
    long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
    assertEquals(Quotas.count(0.84, Clusters.WEIGHTS), pruned);
    double[] kept =
        result.layers().stream()
            .mapToDouble(l -> 1 - (double) l.pruned() / l.shape().size())
            .map(Math::sqrt)
            .toArray();
    assertEquals(kept[0], kept[1], 5e-3);
    assertEquals((1 - kept[0]) / 2, 1 - kept[2], 2e-2);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 17})
  void ticketsResumeBitForBit(long rewind) {
    Strategy how = new Strategy.LotteryTicket(2, rewind, true, GLOBAL);
    PruneOptions options = new PruneOptions(how, 0.8, Clusters.options(1));
    Clusters.assertResumes(
        new Pruning(device, Clusters.untrained(), data, options),
        new Pruning(device, Clusters.untrained(), data, options),
        folder,
        200);
  }

  @Test
  void aRewindBehindTheEndIsRefused() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ticket(90, false, GLOBAL).run())
            .getMessage();
    assertEquals(
        "cannot rewind to step 90 of a round of 90 steps; rewind to an earlier one", message);
  }

  @Test
  void denseSparseDenseIsDenseAtTheEndAndSparseBetween() {
    Strategy how = new Strategy.DenseSparseDense(GLOBAL, 0.5);
    PruneOptions options = new PruneOptions(how, 0.8, Clusters.options(6));
    Model dense = Clusters.trained(device, data);
    PruneResult result = Pruning.run(device, dense, data, options);
    assertEquals(0, result.reached());
    assertEquals(0, result.requested());
    assertEquals((double) Quotas.count(0.8, Clusters.WEIGHTS) / Clusters.WEIGHTS, result.learned());
    assertTrue(result.model().masks().isEmpty());
    for (LayerSparsity layer : result.layers()) {
      assertTrue(layer.keptZeros() < 0.4 * layer.shape().size(), layer.toString());
    }
    assertEquals(result.learned(), result.history().get(2).sparsity());
    assertEquals(0, result.history().get(3).sparsity());
    assertEquals(6, result.history().size());
  }

  @Test
  void denseSparseDenseResumesBitForBit() {
    Strategy how = new Strategy.DenseSparseDense(GLOBAL, 0.5);
    PruneOptions options = new PruneOptions(how, 0.8, Clusters.options(4));
    Clusters.assertResumes(
        new Pruning(device, Clusters.untrained(), data, options),
        new Pruning(device, Clusters.untrained(), data, options),
        folder,
        200);
  }

  @Test
  void phasesOfAcDcTakeTurnsAndEndCompressed() {
    // 8 epochs, 2 warm-up, phases of 2: C C D D, then the last, compressed.
    assertEquals("--CC--CC", phases(new Strategy.AcDc(GLOBAL, 0.25, 2), 8));
    // The last of four phases is compressed too.
    assertEquals("CC--CCCC", phases(new Strategy.AcDc(GLOBAL, 0, 2), 8));
    assertEquals("-C-CC", phases(new Strategy.AcDc(GLOBAL, 0.2, 1), 5));
    assertEquals("C", phases(new Strategy.AcDc(GLOBAL, 0.9, 3), 1));
    assertEquals("--C", phases(new Strategy.AcDc(GLOBAL, 0.9, 3), 3));
  }

  private static String phases(Strategy.AcDc how, int epochs) {
    AcDcHook.Phases phases = new AcDcHook.Phases(how, epochs);
    StringBuilder text = new StringBuilder();
    for (int epoch = 0; epoch < epochs; epoch++) {
      text.append(phases.compressed(epoch) ? 'C' : '-');
    }
    return text.toString();
  }
}
