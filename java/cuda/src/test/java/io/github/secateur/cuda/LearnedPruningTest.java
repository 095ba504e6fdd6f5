package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.prune.Schedule;
import io.github.secateur.prune.Strategy;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Strategies that learn or move masks, on the CUDA device. */
class LearnedPruningTest {
  private static final Allocation GLOBAL = new Allocation.Global();
  private static final Allocation PER_LAYER = new Allocation.PerLayer();
  private static final long WEIGHTS = 20 * 24 + 24 * 17 + 17 * 5;

  private static TrainOptions options(int epochs, float rate) {
    return new TrainOptions(
        epochs, 32, Optimizer.Adam.defaults(), new LearningRate.Constant(rate), 5, 0, List.of());
  }

  private static PruneResult prune(Device device, Strategy how, TrainOptions options) {
    Model start = Networks.parse("mlp:20-24-17-5", 3);
    return Pruning.run(device, start, Toys.data(160, 20, 5), new PruneOptions(how, 0.7, options));
  }

  static Stream<Strategy> exact() {
    Schedule gradual = new Schedule.Polynomial(0, 0.6, 3, 3);
    return Stream.of(
        new Strategy.Scored(
            new Criterion.Magnitude(Norm.L1),
            new Pattern.Unstructured(),
            GLOBAL,
            new Schedule.Cyclic(2, 3)),
        new Strategy.LotteryTicket(1, 2, false, GLOBAL),
        new Strategy.AcDc(GLOBAL, 0.25, 1),
        new Strategy.TopKast(GLOBAL, 0.5, 3, 1e-4),
        new Strategy.Movement(false, GLOBAL, gradual),
        new Strategy.Movement(true, GLOBAL, gradual),
        new Strategy.Str(0.5));
  }

  @ParameterizedTest
  @MethodSource("exact")
  void exactlyTheWeightsAskedForArePlusZero(Strategy how) {
    try (Device device = Toys.device()) {
      PruneResult result = prune(device, how, options(4, 5e-3f));
      long pruned = result.layers().stream().mapToLong(LayerSparsity::pruned).sum();
      assertEquals(Math.round(0.7 * WEIGHTS), pruned);
      assertPlusZero(result.model());
      assertEquals(0, device.liveBuffers());
    }
  }

  private static void assertPlusZero(Model model) {
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

  static Stream<Strategy.Growth> growths() {
    return Stream.of(Strategy.Growth.values());
  }

  @ParameterizedTest
  @MethodSource("growths")
  void movingWeightsKeepTheirNumber(Strategy.Growth growth) {
    try (Device device = Toys.device()) {
      Strategy how = new Strategy.Dynamic(growth, PER_LAYER, 0.3, 3, 0.8, false);
      PruneResult result = prune(device, how, options(3, 5e-3f));
      long pruned = 0;
      for (LayerSparsity layer : result.layers()) {
        long asked = (long) Math.rint(0.7 * layer.shape().size());
        assertTrue(growth == Strategy.Growth.MOMENTUM || asked == layer.pruned(), layer.layer());
        pruned += layer.pruned();
      }
      assertEquals(Math.round(0.7 * WEIGHTS), pruned);
      assertPlusZero(result.model());
    }
  }

  /**
   * A rate whose steps are all rounded to 0, and random growth: nothing is left that devices round
   * each its own way.
   */
  @Test
  void masksMoveAlikeOnBothDevices() {
    Strategy how = new Strategy.Dynamic(Strategy.Growth.RANDOM, PER_LAYER, 0.4, 2, 1, false);
    TrainOptions still =
        new TrainOptions(
            3,
            32,
            new Optimizer.Sgd(0, 0, false),
            new LearningRate.Constant(Float.MIN_VALUE),
            5,
            0,
            List.of());
    try (Device cuda = Toys.device();
        Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      Model a = prune(cuda, how, still).model();
      Model b = prune(cpu, how, still).model();
      assertEquals(3, a.masks().size());
      a.masks().forEach((name, mask) -> assertTrue(mask.bitEquals(b.masks().get(name)), name));
    }
  }

  static Stream<Pattern> groups() {
    return Stream.of(
        new Pattern.Neuron(), new Pattern.Block(4, 3), new Pattern.Line(Pattern.Axis.INPUT));
  }

  @ParameterizedTest
  @MethodSource("groups")
  void groupsAreEmptiedAndCut(Pattern pattern) {
    try (Device device = Toys.device()) {
      PruneResult result =
          prune(device, new Strategy.GroupLasso(pattern, GLOBAL, 0.5), options(4, 5e-3f));
      assertEquals(0.7, result.reached(), 0.05);
      assertPlusZero(result.model());
    }
  }
}
