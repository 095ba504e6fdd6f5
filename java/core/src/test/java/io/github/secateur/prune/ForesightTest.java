package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Model;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Pruning before training, the kept weights drawn anew. */
class ForesightTest extends OnClusters {
  private static final Criterion SNIP = new Criterion.Snip(100);
  private static final Allocation GLOBAL = new Allocation.Global();

  private static PruneResult run(Strategy how, int epochs) {
    PruneOptions options = new PruneOptions(how, 0.8, Clusters.options(epochs));
    return new Pruning(device, Clusters.untrained(), data, options).run();
  }

  private static Strategy anew() {
    return new Strategy.Foresight(SNIP, new Pattern.Unstructured(), GLOBAL);
  }

  @Test
  void theMaskIsThatOfTheFirstWeightsAndTheWeightsAreOthers() {
    Strategy asTheyAre =
        new Strategy.Scored(SNIP, new Pattern.Unstructured(), GLOBAL, new Schedule.OneShot());
    Model kept = run(asTheyAre, 0).model();
    PruneResult result = run(anew(), 0);
    Model drawn = result.model();
    assertEquals(0.8, result.reached(), 1e-3);
    for (String layer : new String[] {"fc1", "fc2", "fc3"}) {
      String name = layer + ".weight";
      Mask mask = drawn.masks().get(name);
      assertTrue(kept.masks().get(name).bitEquals(mask), name);
      Tensor before = kept.graph().initializer(name);
      Tensor after = drawn.graph().initializer(name);
      for (long i = 0; i < mask.size(); i++) {
        if (mask.kept(i)) {
          assertNotEquals(before.getFloat(i), after.getFloat(i));
        } else {
          assertEquals(0, Float.floatToRawIntBits(after.getFloat(i)), "+0 where pruned");
        }
      }
    }
  }

  @Test
  void itTrainsUnderItsMask() {
    PruneResult result = run(anew(), 10);
    assertTrue(Clusters.accuracy(device, result.model(), data) > 0.95);
    assertEquals(10, result.history().size());
    Mask mask = result.model().masks().get("fc1.weight");
    Tensor weight = result.model().graph().initializer("fc1.weight");
    for (long i = 0; i < mask.size(); i++) {
      assertTrue(mask.kept(i) || Float.floatToRawIntBits(weight.getFloat(i)) == 0);
    }
  }

  @Test
  void wholeNeuronsAreRefused() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Strategy.Foresight(SNIP, new Pattern.Neuron(), GLOBAL));
    assertTrue(e.getMessage().contains("leave reinitialize out"), e.getMessage());
  }
}
