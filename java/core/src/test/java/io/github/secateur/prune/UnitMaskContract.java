package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Units of a residual network are pruned alike on every device. A device's module extends this and
 * opens it.
 */
public abstract class UnitMaskContract {
  private final Model model = Networks.parse("resnet-8:1x8x8", 4);

  /** Opens the device under test. */
  protected abstract Device open();

  private Model prune(Device device, Criterion criterion, Budget budget) {
    Strategy.Scored how =
        new Strategy.Scored(
            criterion, new Pattern.Neuron(), new Allocation.Global(), new Schedule.OneShot());
    PruneOptions options = new PruneOptions(how, 0.4, TrainOptions.adam(1, 1e-3f, 1)).with(budget);
    Map<String, Tensor> weights = new HashMap<>(model.graph().initializers());
    weights.values().removeIf(t -> !t.dtype().isFloating());
    try (HeldSite site = new HeldSite(device, weights, Map.of())) {
      new Pruners(model, Layers.trainable(model), how, 0.4, options).of(site, null).step(0, 1);
      Model pruned = model.copy();
      pruned.graph().initializers().putAll(site.weightsToHost());
      pruned.masks().putAll(site.masksToHost());
      return pruned;
    }
  }

  private void assertEqualOnBoth(Criterion criterion, Budget budget) {
    try (Device here = open();
        Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      Model ours = prune(here, criterion, budget);
      Model theirs = prune(cpu, criterion, budget);
      assertEquals(theirs.masks().keySet(), ours.masks().keySet());
      assertTrue(ours.masks().values().stream().anyMatch(mask -> mask.prunedCount() > 0));
      ours.masks()
          .forEach(
              (name, mask) -> {
                assertArrayEquals(kept(theirs.masks().get(name)), kept(mask), name);
                Tensor weight = ours.graph().initializer(name);
                for (long i = 0; i < mask.size(); i++) {
                  int bits = Float.floatToRawIntBits(weight.getFloat(i));
                  assertTrue(mask.kept(i) || bits == 0, name + " is +0 where pruned");
                }
              });
      assertEquals(0, here.liveBuffers(), "live buffers");
    }
  }

  private static boolean[] kept(Mask mask) {
    boolean[] kept = new boolean[(int) mask.size()];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = mask.kept(i);
    }
    return kept;
  }

  /** With many ties. */
  @Test
  void equalScoresMakeEqualMasks() {
    SplittableRandom random = new SplittableRandom(9);
    Map<String, Tensor> scores = new HashMap<>();
    for (UnitGroup group : UnitGroups.of(model)) {
      float[] own = new float[group.units()];
      for (int u = 0; u < own.length; u++) {
        own[u] = random.nextInt(5);
      }
      scores.put(group.incoming().getFirst().parameter(), Tensor.of(Shape.of(own.length), own));
    }
    assertEqualOnBoth(new Criterion.Given(scores), new Budget.Sparsity(0.4));
    assertEqualOnBoth(new Criterion.Given(scores), new Budget.Counted(Budget.Unit.FLOPS, 0.5));
  }

  /** Norms are summed in one order on all devices; the rest runs on the host. */
  @Test
  void scoresOfWeightsAreEqualBitForBit() {
    for (Criterion criterion :
        List.of(
            new Criterion.Magnitude(1),
            new Criterion.Magnitude(2),
            new Criterion.Magnitude(3),
            new Criterion.Random(3),
            new Criterion.GeometricMedian())) {
      assertEqualOnBoth(criterion, new Budget.Sparsity(0.4));
    }
  }
}
