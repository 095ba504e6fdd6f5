package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Mask;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.Progress;
import io.github.secateur.train.SparseMode;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import io.github.secateur.train.Training;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dynamic sparse training, its moves against an oracle on the host. */
class DynamicTest extends OnClusters {
  private static final Allocation PER_LAYER = new Allocation.PerLayer();

  @TempDir Path folder;

  private static Strategy.Dynamic how(Strategy.Growth growth) {
    return new Strategy.Dynamic(growth, PER_LAYER, 0.3, 10, 0.75, false);
  }

  @ParameterizedTest
  @EnumSource(Strategy.Growth.class)
  void endsExactlySparse(Strategy.Growth growth) {
    PruneOptions options = new PruneOptions(how(growth), 0.8, Clusters.options(12));
    PruneResult result = Pruning.run(device, Clusters.untrained(), data, options);
    long pruned = 0;
    long total = 0;
    for (LayerSparsity layer : result.layers()) {
      long asked = Quotas.count(0.8, layer.shape().size());
      total += asked;
      assertTrue(growth == Strategy.Growth.MOMENTUM || asked == layer.pruned(), layer.layer());
      pruned += layer.pruned();
    }
    assertEquals(total, pruned);
    Clusters.assertPlusZero(result.model());
    assertEquals(12, result.history().size());
    assertTrue(Clusters.accuracy(device, result.model(), data) > 0.9);
    assertEquals(
        Checkpoint.weightsHash(result.model()),
        Checkpoint.weightsHash(Pruning.run(device, Clusters.untrained(), data, options).model()));
  }

  @ParameterizedTest
  @EnumSource(Strategy.Growth.class)
  void resumesBitForBit(Strategy.Growth growth) {
    PruneOptions options = new PruneOptions(how(growth), 0.7, Clusters.options(3));
    Model start = Clusters.untrained();
    Clusters.assertResumes(
        new Pruning(device, start, data, options),
        new Pruning(device, start, data, options),
        folder,
        200);
  }

  /** Looks at weights, masks and gradients before and after each move. */
  private static final class Watch implements TrainHook {
    private static final float DECAY = 0.9f;

    private final DynamicHook watched;
    private final Strategy.Growth growth;
    private final Map<String, Mask> masks = new HashMap<>();
    private final Map<String, float[]> weights = new HashMap<>();
    private final Map<String, float[]> means = new HashMap<>();
    private int moves;
    private int bounded;
    private Map<String, Long> least = Map.of();
    private final Set<String> changed = new HashSet<>();

    Watch(DynamicHook watched, Strategy.Growth growth) {
      this.watched = watched;
      this.growth = growth;
    }

    @Override
    public String name() {
      return "watch";
    }

    /** In the list of hooks before the one that is watched: before its move. */
    @Override
    public void afterStep(Training training) {
      for (String name : masks.keySet()) {
        weights.put(name, host(training, name));
        float[] g = training.device().toHost(training.gradient(name)).toFloats();
        float[] mean = means.computeIfAbsent(name, n -> new float[g.length]);
        for (int i = 0; i < g.length; i++) {
          mean[i] = mean[i] * DECAY + g[i] * (1 - DECAY);
        }
        if (growth == Strategy.Growth.GRADIENT) {
          means.put(name, g);
        }
      }
      long done = training.step() + 1;
      watched.afterStep(training);
      boolean moves = watched.movesAfter(done, training.totalSteps());
      this.moves += moves ? 1 : 0;
      Map<String, Long> dropped = new LinkedHashMap<>();
      masks.forEach(
          (name, mask) -> {
            double share = moves ? watched.share(done, training.totalSteps()) : 0;
            long n = Quotas.count(share, mask.keptCount());
            dropped.put(name, Math.min(n, mask.prunedCount()));
          });
      Map<String, Double> grow = growth == Strategy.Growth.MOMENTUM ? shared(dropped) : null;
      long grew = 0;
      for (Map.Entry<String, Mask> entry : masks.entrySet()) {
        String name = entry.getKey();
        Mask now = training.device().toHost(training.mask(name));
        long grown = now.keptCount() - entry.getValue().keptCount() + dropped.get(name);
        double expected = grow == null ? dropped.get(name) : grow.get(name);
        assertEquals(expected, grown, grow == null ? 0 : 1, name);
        grew += grown;
        check(name, entry.getValue(), now, dropped.get(name), grown);
        float[] after = host(training, entry.getKey());
        for (int i = 0; i < after.length; i++) {
          boolean came = now.kept(i) && !entry.getValue().kept(i);
          assertTrue(
              (now.kept(i) && !came) || Float.floatToRawIntBits(after[i]) == 0, "not +0: " + i);
        }
        entry.setValue(now);
      }
      assertEquals(dropped.values().stream().mapToLong(n -> n).sum(), grew);
    }

    /**
     * What was dropped, shared out by the mean |running mean| of living weights, not rounded: of
     * each layer t times its mean, within its bounds, t found by halving.
     */
    private Map<String, Double> shared(Map<String, Long> dropped) {
      double all = dropped.values().stream().mapToLong(n -> n).sum();
      Map<String, Double> result = new HashMap<>();
      double low = 0;
      double high = 1e12;
      for (int step = 0; step < 200; step++) {
        double t = (low + high) / 2;
        masks.forEach((name, mask) -> result.put(name, share(name, mask, t, dropped.get(name))));
        if (result.values().stream().mapToDouble(x -> x).sum() > all) {
          high = t;
        } else {
          low = t;
        }
      }
      result.forEach(
          (name, grown) -> {
            double fewest = fewest(name, dropped.get(name));
            bounded += fewest > 0 && grown == fewest ? 1 : 0;
          });
      return result;
    }

    private double share(String name, Mask mask, double t, long dropped) {
      float[] mean = means.get(name);
      int[] living = where(mask, mask::kept);
      double rate = IntStream.of(living).mapToDouble(i -> Math.abs(mean[i])).average().orElse(0);
      return Math.clamp(t * rate, fewest(name, dropped), (double) mask.prunedCount());
    }

    /** What has to come in at least, by the layer's limits. */
    private double fewest(String name, long dropped) {
      long staying = masks.get(name).keptCount() - dropped;
      return Math.max(least.getOrDefault(name, 1L) - staying, 0);
    }

    private static float[] host(Training training, String name) {
      return training.device().toHost(training.parameters().get(name)).toFloats();
    }

    private void check(String name, Mask before, Mask now, long drop, long grow) {
      int[] dropped = where(before, i -> before.kept(i) && !now.kept(i));
      int[] grown = where(before, i -> !before.kept(i) && now.kept(i));
      assertEquals(drop, dropped.length, name);
      assertEquals(grow, grown.length, name);
      if (drop == 0 && grow == 0) {
        return;
      }
      changed.add(name);
      float[] w = weights.get(name);
      // Lowest |w| go, of equal ones the higher index.
      int[] living = where(before, before::kept);
      assertArrayEquals(first(living, drop, i -> Math.abs(w[i]), true), dropped, name);
      if (growth != Strategy.Growth.RANDOM) {
        float[] g = means.get(name);
        int[] dead = where(before, i -> !before.kept(i));
        assertArrayEquals(first(dead, grow, i -> -Math.abs(g[i]), false), grown, name);
      }
    }

    private static int[] where(Mask mask, IntPredicate predicate) {
      return IntStream.range(0, (int) mask.size()).filter(predicate).toArray();
    }

    /** The n of lowest key, ascending indices; of equal keys the higher or lower index. */
    private static int[] first(int[] from, long n, IntToDoubleFunction key, boolean higher) {
      Comparator<Integer> index = Comparator.naturalOrder();
      return IntStream.of(from)
          .boxed()
          .sorted(
              Comparator.<Integer>comparingDouble(key::applyAsDouble)
                  .thenComparing(higher ? index.reversed() : index))
          .limit(n)
          .mapToInt(Integer::intValue)
          .sorted()
          .toArray();
    }
  }

  @ParameterizedTest
  @EnumSource(Strategy.Growth.class)
  void movesWhatItSays(Strategy.Growth growth) {
    Model start = masked(growth == Strategy.Growth.RANDOM ? 0.2 : 0.8);
    Strategy.Dynamic how = new Strategy.Dynamic(growth, PER_LAYER, 0.5, 7, 0.8, false);
    Watch watch = watched(start, how, Limits.NONE, Map.of());
    assertEquals(10, watch.moves); // After 7, 14, … 70 of 90 steps, the end being 72.
    assertEquals(3, watch.changed.size());
  }

  @Test
  void momentumSharesOutWithinLimits() {
    Model start = masked(0.8);
    Strategy.Dynamic how =
        new Strategy.Dynamic(Strategy.Growth.MOMENTUM, PER_LAYER, 0.9, 7, 0.8, false);
    List<Layer> layers = Layers.trainable(start);
    // The first layer has the most weights and the smallest momentum.
    Layer first = layers.getFirst();
    Limits limits = new Limits(1, Map.of(first.name(), 0.85), 0, Set.of(), Set.of());
    Map<String, Long> least = Map.of(first.parameter(), 480 - 408L);
    Watch watch = watched(start, how, limits, least);
    assertTrue(watch.bounded > 0);
    assertTrue(watch.masks.get(first.parameter()).keptCount() >= 72);
  }

  @Test
  void explicitRatiosKeepTheirNumbersUnderMomentum() {
    Allocation ratios = new Allocation.Ratios(Map.of("fc1", 0.9, "fc2", 0.8, "fc3", 0.5));
    Strategy how = new Strategy.Dynamic(Strategy.Growth.MOMENTUM, ratios, 0.3, 10, 0.75, false);
    PruneOptions options = new PruneOptions(how, 0.8, Clusters.options(2));
    PruneResult result = Pruning.run(device, Clusters.untrained(), data, options);
    assertEquals(
        List.of(432L, 307L, 24L), result.layers().stream().map(LayerSparsity::pruned).toList());
  }

  /** Networks too sparse for weights of the dense one's size learn from weights of their own. */
  @ParameterizedTest
  @EnumSource(Strategy.Growth.class)
  void weightsAreDrawnAnewForTheInputsLeft(Strategy.Growth growth) {
    Strategy how = new Strategy.Dynamic(growth, PER_LAYER, 0.3, 10, 0.75, true);
    TrainOptions still =
        new TrainOptions(
            1,
            20,
            new Optimizer.Sgd(0, 0, false),
            new LearningRate.Constant(Float.MIN_VALUE),
            11,
            0,
            List.of());
    Model start = Clusters.untrained();
    Model drawn = Pruning.run(device, start, data, new PruneOptions(how, 0.8, still)).model();
    for (Layer layer : Layers.trainable(drawn)) {
      Mask mask = drawn.masks().get(layer.parameter());
      float[] now = drawn.graph().initializer(layer.parameter()).toFloats();
      float[] before = start.graph().initializer(layer.parameter()).toFloats();
      for (int i = 0; i < now.length; i++) {
        assertTrue(!mask.kept(i) || now[i] != before[i], layer.name());
      }
    }
    Clusters.assertPlusZero(drawn);
  }

  private static Watch watched(
      Model start, Strategy.Dynamic how, Limits limits, Map<String, Long> least) {
    List<Layer> layers = Layers.trainable(start);
    DynamicHook hook = new DynamicHook(layers, how, limits, 5);
    Watch watch = new Watch(hook, how.growth());
    watch.least = least;
    layers.forEach(l -> watch.masks.put(l.parameter(), start.masks().get(l.parameter())));
    // The watched hook's own afterStep is the watch's to call.
    TrainHook rest =
        new TrainHook() {
          @Override
          public String name() {
            return "rest";
          }

          @Override
          public void start(Training training) {
            hook.start(training);
          }

          @Override
          public void afterGradients(Training training) {
            hook.afterGradients(training);
          }

          @Override
          public void finish() {
            hook.finish();
          }
        };
    new Trainer(device, start, data, Clusters.options(3), List.of(rest, watch)).run();
    return watch;
  }

  private static Model masked(double sparsity) {
    Stages stages =
        new Stages(
            device,
            Clusters.untrained(),
            data,
            new PruneOptions(Strategy.magnitude(), sparsity, Clusters.options(1)),
            new Stages.Saving(null, false, Progress.NONE));
    return stages.cut(stages.dense(), Stages.byMagnitude(PER_LAYER));
  }

  @Test
  void theShareFallsAsHalfACosine() {
    DynamicHook hook =
        new DynamicHook(
            List.of(),
            new Strategy.Dynamic(Strategy.Growth.RANDOM, PER_LAYER, 0.4, 10, 0.5, false),
            Limits.NONE,
            1);
    assertEquals(0.4, hook.share(0, 200), 1e-15);
    assertEquals(0.2, hook.share(50, 200), 1e-15);
    assertEquals(0.1, hook.share(100, 300), 1e-15);
    assertTrue(hook.movesAfter(90, 200) && !hook.movesAfter(95, 200));
    assertTrue(!hook.movesAfter(100, 200) && !hook.movesAfter(110, 200));
  }

  @Test
  void refusesWhatCannotBe() {
    TrainOptions sparse = Clusters.options(2).withSparse(SparseMode.ON);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    Pruning.run(
                        device,
                        Clusters.untrained(),
                        data,
                        new PruneOptions(how(Strategy.Growth.GRADIENT), 0.8, sparse)))
            .getMessage();
    assertTrue(message.contains("set sparse training off"), message);
    Strategy global =
        new Strategy.Dynamic(Strategy.Growth.RANDOM, new Allocation.Global(), 0.3, 10, 0.75, false);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            Pruning.run(
                device,
                Clusters.untrained(),
                data,
                new PruneOptions(global, 0.8, Clusters.options(2))));
  }

  @Test
  void randomGrowthTrainsSparseToTheSameCounts() {
    TrainOptions sparse = Clusters.options(3).withSparse(SparseMode.ON);
    PruneResult result =
        Pruning.run(
            device,
            Clusters.untrained(),
            data,
            new PruneOptions(how(Strategy.Growth.RANDOM), 0.8, sparse));
    for (LayerSparsity layer : result.layers()) {
      assertEquals(Quotas.count(0.8, layer.shape().size()), layer.pruned(), layer.layer());
    }
  }
}
