package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Whole channels of a residual network, with nothing but its file at hand. */
class DataFreeUnitsTest {
  private static final Criterion L2 = new Criterion.Magnitude(Norm.L2);

  private static DataFree.Options options(Criterion criterion, int roundTo, Budget budget) {
    return new DataFree.Options(
        criterion, new Pattern.Neuron(roundTo), new Allocation.PerLayer(), Limits.NONE, budget);
  }

  @Test
  void aBudgetOfOperationsIsKeptByTheShrunkNetwork() {
    Model model = Networks.parse("resnet-8", 1);
    Budget half = new Budget.Counted(Budget.Unit.FLOPS, 0.5);
    for (Criterion criterion :
        List.of(L2, new Criterion.NormScale(), new Criterion.GeometricMedian())) {
      for (int roundTo : new int[] {1, 8}) {
        DataFree.Result result = DataFree.prune(model, options(criterion, roundTo, half));
        Model shrunk = Shrinker.shrink(result.model());
        double left = (double) Costs.of(shrunk).dense().flops() / Costs.of(model).dense().flops();
        assertTrue(left <= 0.5 && left > 0.2, criterion + " leaves " + left);
        assertEquals(result.reached(), result.requested());
        for (String conv : List.of("conv1", "stage2.block1.conv1", "stage3.block1.conv2")) {
          assertEquals(
              0, shrunk.graph().initializer(conv + ".weight").shape().dim(0) % roundTo, conv);
        }
      }
    }
  }

  @Test
  void aShareOfTheWeightsIsMet() {
    Model model = Networks.parse("mlp:8-40-20-4", 1);
    DataFree.Result result = DataFree.prune(model, options(L2, 1, new Budget.Sparsity(0.5)));
    assertEquals(0.5, result.requested());
    assertEquals(0.5, result.reached(), 30.0 / (8 * 40 + 40 * 20 + 20 * 4));
    Mask units = result.model().masks().get("fc1.bias");
    assertTrue(units.prunedCount() > 0);
    assertEquals(
        units.keptCount(), Shrinker.shrink(result.model()).graph().initializer("fc1.bias").size());
  }

  @Test
  void excludedLayersStay() {
    Model model = Networks.parse("mlp:8-40-20-4", 1);
    Limits limits = new Limits(1, Map.of(), 0, Set.of("fc1"), Set.of());
    DataFree.Result result =
        DataFree.prune(
            model,
            new DataFree.Options(L2, new Pattern.Neuron(), new Allocation.Global(), limits, 0.3));
    Model shrunk = Shrinker.shrink(result.model());
    assertEquals(40, shrunk.graph().initializer("fc1.bias").size());
    assertTrue(shrunk.graph().initializer("fc2.bias").size() < 20);
    assertEquals(new DataFree.Left("fc1", "excluded"), result.left().getFirst());
  }

  @Test
  void whatNeedsDataIsRefused() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                options(new Criterion.Activation(Statistic.RMS, 10), 1, new Budget.Sparsity(0.5)));
    assertEquals(
        "without data, units are scored by magnitude, norm-scale, geometric-median, random or"
            + " scores of your own, not by Activation",
        e.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new DataFree.Options(
                L2,
                new Pattern.Unstructured(),
                new Allocation.Global(),
                Limits.NONE,
                new Budget.Counted(Budget.Unit.FLOPS, 0.5)));
  }
}
