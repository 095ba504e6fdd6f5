package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.train.DataSplit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every strategy that takes explicit ratios ends with them, to the weight, and needs no sparsity.
 */
class ExplicitRatiosTest {
  private static final Allocation RATIOS =
      new Allocation.Ratios(Map.of("fc1", 0.9, "fc2", 0.75, "fc3", 0.5));
  private static final Pattern WEIGHTS = new Pattern.Unstructured();

  static Stream<Strategy> strategies() {
    return Stream.of(
        new Strategy.Scored(
            new Criterion.Magnitude(1), WEIGHTS, RATIOS, Schedule.Polynomial.defaults()),
        new Strategy.L1(RATIOS, 0.5),
        new Strategy.Gates(WEIGHTS, RATIOS, 0.5),
        new Strategy.TopKast(RATIOS, 0.5, 10, 1e-4),
        new Strategy.Movement(false, RATIOS, Schedule.Polynomial.defaults()),
        new Strategy.Movement(true, RATIOS, Schedule.Polynomial.defaults()),
        new Strategy.Dynamic(Strategy.Growth.RANDOM, RATIOS, 0.3, 10, 0.75, false),
        new Strategy.Dynamic(Strategy.Growth.GRADIENT, RATIOS, 0.3, 10, 0.75, true),
        new Strategy.Dynamic(Strategy.Growth.MOMENTUM, RATIOS, 0.3, 10, 0.75, false),
        new Strategy.LotteryTicket(2, 0, false, RATIOS),
        new Strategy.AcDc(RATIOS, 0.1, 1),
        new Strategy.LayerWise(Strategy.Solver.SPARSEGPT, WEIGHTS, RATIOS, 200, 0.01),
        new Strategy.LayerWise(Strategy.Solver.OBC, WEIGHTS, RATIOS, 200, 0.01),
        new Strategy.Admm(WEIGHTS, RATIOS, 0.01, 1, 0.5));
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void everyLayerLosesItsShare(Strategy how) {
    assertTrue(how.decidesHowMuch());
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      DataSplit data = Clusters.data();
      PruneOptions options = new PruneOptions(how, 0, Clusters.options(4));
      PruneResult result = Pruning.run(device, Clusters.untrained(), data, options);
      assertEquals(
          List.of(432L, 288L, 24L), result.layers().stream().map(LayerSparsity::pruned).toList());
      assertEquals(result.reached(), result.requested());
      Clusters.assertPlusZero(result.model());
    }
  }
}
