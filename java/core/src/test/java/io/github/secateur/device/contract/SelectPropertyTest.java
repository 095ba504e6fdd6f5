package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.contract.SelectionOracle.Input;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Selection equals a sort for any sizes, distributions, previous masks and counts. */
public abstract class SelectPropertyTest {
  private static final int TRIES = 300;

  /** Opens the device under test. */
  protected abstract Device open();

  @Test
  void selectionEqualsASort() {
    try (Device device = open()) {
      for (long seed = 0; seed < TRIES; seed++) {
        selectionEqualsASort(device, seed);
        assertEquals(0, device.liveBuffers());
      }
    }
  }

  private static void selectionEqualsASort(Device device, long seed) {
    ScoreSamples[] samples = ScoreSamples.values();
    try {
      selectionEqualsASort(
          device,
          samples[(int) (seed % samples.length)],
          Key.values()[(int) (seed / samples.length % Key.values().length)],
          new Random(seed));
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private static void selectionEqualsASort(
      Device device, ScoreSamples samples, Key key, Random random) {
    int groups = 1 + random.nextInt(2);
    long[] totals = new long[groups];
    List<Input> inputs = new ArrayList<>();
    for (int segments = 1 + random.nextInt(4); segments > 0; segments--) {
      int size = random.nextInt(4) == 0 ? random.nextInt(40) : random.nextInt(5001);
      int group = random.nextInt(groups);
      totals[group] += size;
      inputs.add(new Input(samples.draw(size, random.nextLong()), mask(size, random), group));
    }
    long[] k = new long[groups];
    for (int g = 0; g < groups; g++) {
      k[g] = random.nextLong(totals[g] + 1);
    }
    SelectionOracle.check(device, key, inputs, k);
  }

  /** None, sparse or dense. */
  private static Mask mask(int size, Random random) {
    int density = random.nextInt(3);
    if (density == 0) {
      return null;
    }
    Mask mask = Mask.ones(Shape.of(size));
    for (int i = 0; i < size; i++) {
      mask.set(i, random.nextInt(10) >= (density == 1 ? 1 : 8));
    }
    return mask;
  }
}
