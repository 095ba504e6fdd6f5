package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.Progress;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Latent weights: their gradients against those of the effective weights, and what hooks do. */
class LatentWeightsTest extends OnClusters {
  private static final String WEIGHT = "fc2.weight";
  private static final Allocation GLOBAL = new Allocation.Global();

  /** One step an epoch over all samples, plain gradient descent. */
  private static TrainOptions whole(int epochs, float rate) {
    return new TrainOptions(
        epochs,
        600,
        new Optimizer.Sgd(0, 0, false),
        new LearningRate.Constant(rate),
        11,
        0,
        List.of());
  }

  /** Gradients of the first step, by name. */
  private static Map<String, float[]> gradients(Model model, TrainHook... before) {
    Map<String, float[]> all = new HashMap<>();
    TrainHook look =
        new TrainHook() {
          @Override
          public String name() {
            return "look";
          }

          @Override
          public void afterGradients(Training training) {
            for (String name : training.trained()) {
              all.put(name, training.device().toHost(training.gradient(name)).toFloats());
            }
          }
        };
    List<TrainHook> hooks = new ArrayList<>(List.of(before));
    hooks.add(look);
    new Trainer(device, model, data, LatentWeights.freezing(whole(1, 1e-3f)), hooks).run();
    return all;
  }

  private static Model with(Model model, String name, Tensor value) {
    Model other = model.copy();
    other.graph().initializers().put(name, value);
    return other;
  }

  @Test
  void theStraightThroughGradientIsThatOfTheMaskedWeight() {
    Model dense = Clusters.untrained();
    List<Layer> layers = Layers.trainable(dense);
    Tensor weight = dense.graph().initializer(WEIGHT);
    float[] set = new float[(int) weight.size()];
    float[] product = weight.toFloats();
    for (int i = 0; i < set.length; i++) {
      set[i] = i % 3 == 0 ? 1 : 0;
      product[i] *= set[i];
    }
    Model latent =
        with(
            LatentWeights.masked(dense, layers, 0),
            WEIGHT + LatentWeights.FORWARD,
            Tensor.of(weight.shape(), set));
    float[] expected =
        gradients(with(dense, WEIGHT, Tensor.of(weight.shape(), product))).get(WEIGHT);
    assertTrue(Arrays.equals(expected, gradients(latent).get(WEIGHT)));
    assertTrue(expected[1] != 0 && expected[2] != 0, "no gradient of masked weights to see");
  }

  @Test
  void softThresholdsFollowTheirFormulas() {
    Model dense = Clusters.untrained();
    Tensor weight = dense.graph().initializer(WEIGHT);
    float s = -2.5f;
    Model latent = LatentWeights.shrunk(dense, Layers.trainable(dense), s);
    float[] w = weight.toFloats();
    double t = 1 / (1 + Math.exp(-s));
    float[] shrunk = StrRun.shrunk(device, weight, Tensor.of(Shape.of(1), s)).toFloats();
    int zeros = 0;
    for (int i = 0; i < w.length; i++) {
      assertEquals(Math.signum(w[i]) * Math.max(Math.abs((double) w[i]) - t, 0), shrunk[i], 1e-7);
      zeros += shrunk[i] == 0 ? 1 : 0;
    }
    assertTrue(zeros > 30 && zeros < w.length - 30, "too plain: " + zeros);
    // The model whose layers are all shrunk, without latent weights.
    Model plain = dense;
    for (Layer layer : Layers.trainable(dense)) {
      Tensor folded =
          StrRun.shrunk(
              device, dense.graph().initializer(layer.parameter()), Tensor.of(Shape.of(1), s));
      plain = with(plain, layer.parameter(), folded);
    }
    float[] dy = gradients(plain).get(WEIGHT);
    Map<String, float[]> found = gradients(latent);
    double ds = 0;
    for (int i = 0; i < w.length; i++) {
      boolean lives = Math.abs(w[i]) > t;
      assertEquals(lives ? dy[i] : 0, found.get(WEIGHT)[i], 1e-8);
      ds -= lives ? dy[i] * Math.signum(w[i]) * t * (1 - t) : 0;
    }
    float gradient = found.get(WEIGHT + LatentWeights.THRESHOLD)[0];
    assertEquals(ds, gradient, 1e-6);
    assertEquals(difference(latent, s, 0.01f), gradient, 2e-3 * Math.abs(gradient) + 2e-5);
  }

  /** Central difference of the loss by the threshold of one layer. */
  private static double difference(Model latent, float s, float h) {
    double[] loss = new double[2];
    for (int side = 0; side < 2; side++) {
      Tensor moved = Tensor.of(Shape.of(1), side == 0 ? s - h : s + h);
      Model model = with(latent, WEIGHT + LatentWeights.THRESHOLD, moved);
      loss[side] = Evaluator.evaluate(device, model, data.train()).loss();
    }
    return (loss[1] - loss[0]) / (2.0 * h);
  }

  /** One step of Top-KAST: sets, cut gradient and penalty against plain loops. */
  @Test
  void topKastCutsGradientsToTheBackwardSet() {
    Model dense = Clusters.untrained();
    List<Layer> layers = Layers.trainable(dense);
    double penalty = 0.01;
    Strategy.TopKast how = new Strategy.TopKast(new Allocation.PerLayer(), 0.5, 100, penalty);
    PruneOptions options = new PruneOptions(how, 0.8, whole(1, 0.5f));
    PruneResult result = Pruning.run(device, dense, data, options);
    float[] w = dense.graph().initializer(WEIGHT).toFloats();
    double[] magnitudes = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      magnitudes[i] = Math.abs(w[i]);
    }
    Arrays.sort(magnitudes);
    double forward = magnitudes[(int) Quotas.count(0.8, w.length) - 1];
    double backward = magnitudes[(int) Quotas.count(0.4, w.length) - 1];
    Stages stages = new Stages(device, dense, data, options, NOTHING);
    Model masked = stages.cut(dense, Stages.byMagnitude(new Allocation.PerLayer()));
    masked.masks().clear();
    float[] g = gradients(masked).get(WEIGHT);
    Tensor end = result.model().graph().initializer(WEIGHT);
    int kept = 0;
    for (int i = 0; i < w.length; i++) {
      boolean inForward = Math.abs(w[i]) > forward;
      double step = 0.5 * (g[i] + 2 * penalty * w[i]);
      assertEquals(inForward ? w[i] - step : 0, end.getFloat(i), 1e-6, "weight " + i);
      kept += inForward ? 1 : 0;
    }
    assertEquals(w.length - Quotas.count(0.8, w.length), kept);
    Watch watch = new Watch();
    new Trainer(
            device,
            LatentWeights.masked(dense, layers, 1),
            data,
            LatentWeights.freezing(whole(1, 0.5f)),
            List.of(hook(dense, layers, how, options), watch))
        .run();
    for (int i = 0; i < w.length; i++) {
      double factor = Math.abs(w[i]) > forward ? 1 : 1 / 0.2;
      double step = 0.5 * (g[i] + 2 * penalty * factor * w[i]);
      boolean inBackward = Math.abs(w[i]) > backward;
      assertEquals(inBackward ? w[i] - step : w[i], watch.latent[i], 1e-6, "latent weight " + i);
    }
  }

  private static final Stages.Saving NOTHING = new Stages.Saving(null, false, Progress.NONE);

  private static TopKastHook hook(
      Model dense, List<Layer> layers, Strategy.TopKast how, PruneOptions options) {
    Strategy.Scored largest = Stages.byMagnitude(how.allocation());
    return new TopKastHook(
        layers,
        how,
        new TopKastHook.Sets(
            new Pruners(dense, layers, largest, 0.8, options),
            new Pruners(dense, layers, largest, 0.4, options),
            0.2));
  }

  /** The latent weight after a step. */
  private static final class Watch implements TrainHook {
    private float[] latent;

    @Override
    public String name() {
      return "watch";
    }

    @Override
    public void afterStep(Training training) {
      latent = training.parameters().toHost(WEIGHT).toFloats();
    }
  }

  /** S after two steps is what the gradients of those steps say, for pruned weights too. */
  @Test
  void movementScoresAddUp() {
    Strategy.Movement how =
        new Strategy.Movement(false, GLOBAL, new Schedule.Polynomial(0, 1, 3, 1));
    Model dense = Clusters.untrained();
    PruneOptions options = new PruneOptions(how, 0.8, whole(4, 0.5f));
    MovementHook hook = new MovementHook(new Stages(device, dense, data, options, NOTHING), how);
    double[] sum = new double[(int) dense.graph().initializer(WEIGHT).size()];
    boolean[] prunedMoved = new boolean[1];
    TrainHook before =
        new TrainHook() {
          @Override
          public String name() {
            return "before";
          }

          @Override
          public void afterGradients(Training training) {
            float[] w = training.parameters().toHost(WEIGHT).toFloats();
            float[] g = training.device().toHost(training.gradient(WEIGHT)).toFloats();
            float[] set = training.parameters().toHost(WEIGHT + LatentWeights.FORWARD).toFloats();
            for (int i = 0; i < w.length; i++) {
              sum[i] -= 0.5 * w[i] * g[i];
              prunedMoved[0] |= set[i] == 0 && g[i] != 0;
            }
          }

          @Override
          public void afterStep(Training training) {
            float[] s = training.parameters().toHost(WEIGHT + LatentWeights.KEPT).toFloats();
            for (int i = 0; i < s.length; i++) {
              assertEquals(sum[i], s[i], 1e-7 + 1e-5 * Math.abs(sum[i]));
            }
          }
        };
    Model latent = LatentWeights.masked(dense, Layers.trainable(dense), 0);
    new Trainer(device, latent, data, LatentWeights.freezing(whole(4, 0.5f)), List.of(before, hook))
        .run();
    assertTrue(prunedMoved[0], "no pruned weight had a gradient");
  }

  @Test
  void oneShotMovementIsRefused() {
    Strategy how = new Strategy.Movement(false, GLOBAL, new Schedule.OneShot());
    PruneOptions options = new PruneOptions(how, 0.5, whole(1, 0.1f));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Pruning.run(device, Clusters.untrained(), data, options))
            .getMessage();
    assertTrue(message.contains("gradual schedule"), message);
  }
}
