package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.PruneOps.Boxes;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.Masked;
import io.github.secateur.device.PruneOps.NM;
import io.github.secateur.device.PruneOps.Pooling;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Scores and masks of boxes of weights against loops over coordinates in double precision. */
public interface BoxContract extends Contract {
  /** Tensors, and the boxes that cut them. */
  int[][][] CUTS = {
    {{1, 1, 1}, {1, 1, 1}},
    {{1, 8, 8}, {1, 4, 1}},
    {{1, 10, 7}, {1, 4, 2}},
    {{1, 33, 65}, {1, 33, 1}},
    {{1, 33, 65}, {1, 1, 65}},
    {{6, 5, 9}, {6, 1, 9}},
    {{3, 40, 11}, {1, 16, 4}},
    {{5, 7, 3}, {2, 3, 2}},
    {{1, 70, 130}, {1, 64, 64}},
    {{2, 3, 9000}, {2, 1, 9000}}
  };

  private static int boxOf(int[][] cut, int i) {
    int rows = Math.ceilDiv(cut[0][1], cut[1][1]);
    int columns = Math.ceilDiv(cut[0][2], cut[1][2]);
    int i2 = i % cut[0][2];
    int i1 = i / cut[0][2] % cut[0][1];
    int i0 = i / cut[0][2] / cut[0][1];
    return (i0 / cut[1][0] * rows + i1 / cut[1][1]) * columns + i2 / cut[1][2];
  }

  private static Boxes boxes(int[][] cut) {
    return new Boxes(
        Shape.of(cut[0][0], cut[0][1], cut[0][2]), Shape.of(cut[1][0], cut[1][1], cut[1][2]));
  }

  private static Mask random(Shape shape, long seed, double kept) {
    Random random = new Random(seed);
    Mask mask = Mask.zeros(shape);
    for (int i = 0; i < shape.size(); i++) {
      mask.set(i, random.nextDouble() < kept);
    }
    return mask;
  }

  @Test
  default void poolsScoresOfBoxes() {
    for (int[][] cut : CUTS) {
      Boxes boxes = boxes(cut);
      int n = (int) boxes.tensor().size();
      int count = (int) boxes.grid().size();
      float[] scores = Numbers.gaussian(n, n);
      Mask mask = random(boxes.tensor(), n, 0.6);
      for (int i = 0; i < n; i++) {
        if (boxOf(cut, i) % 3 == 1) {
          mask.set(i, false); // whole boxes are gone
        }
        if (!mask.kept(i) && i % 5 == 0) {
          scores[i] = Float.NaN; // pruned before: it does not matter
        }
      }
      for (Pooling pooling : Pooling.values()) {
        double[] expected = new double[count];
        double[] sizes = new double[count];
        Mask live = Mask.zeros(boxes.grid());
        for (int i = 0; i < n; i++) {
          int b = boxOf(cut, i);
          sizes[b]++;
          if (mask.kept(i)) {
            live.set(b, true);
            double x = scores[i];
            switch (pooling) {
              case MEAN -> expected[b] += x;
              case MAGNITUDES -> expected[b] += Math.abs(x);
              case SQUARES -> expected[b] += x * x;
              case LARGEST -> expected[b] = Math.max(expected[b], Math.abs(x));
            }
          }
        }
        try (Fixture f = new Fixture(device())) {
          var pooled = f.out(Shape.of(count));
          DeviceMask liveOut = f.outMask(boxes.grid());
          Masked masked = new Masked(f.in(scores), f.in(mask));
          device().prune().scoreBoxes(pooling, boxes, masked, pooled, liveOut);
          float[] actual = f.read(pooled);
          for (int b = 0; b < count; b++) {
            double e = pooling == Pooling.LARGEST ? expected[b] : expected[b] / sizes[b];
            assertEquals(e, actual[b], 1e-6 * (1 + Math.abs(e)), pooling + " of " + boxes);
          }
          assertTrue(live.bitEquals(f.mask(liveOut)), pooling + " of " + boxes);
        }
      }
    }
  }

  @Test
  default void aKeptNanIsItsBoxesScore() {
    Boxes boxes = new Boxes(Shape.of(1, 2, 2), Shape.of(1, 1, 2));
    for (Pooling pooling : Pooling.values()) {
      try (Fixture f = new Fixture(device())) {
        var pooled = f.out(Shape.of(2));
        Masked masked = new Masked(f.in(1, Float.NaN, 3, 4), f.in(Mask.ones(Shape.of(4))));
        device().prune().scoreBoxes(pooling, boxes, masked, pooled, f.outMask(Shape.of(2)));
        float[] scores = f.read(pooled);
        assertTrue(Float.isNaN(scores[0]) && scores[1] > 0, pooling.toString());
      }
    }
  }

  @Test
  default void masksWholeBoxes() {
    for (int[][] cut : CUTS) {
      Boxes boxes = boxes(cut);
      Mask mask = random(boxes.tensor(), 3, 0.8);
      Mask kept = random(boxes.grid(), 4, 0.5);
      Mask expected = Mask.zeros(boxes.tensor());
      for (int i = 0; i < mask.size(); i++) {
        expected.set(i, mask.kept(i) && kept.kept(boxOf(cut, i)));
      }
      try (Fixture f = new Fixture(device())) {
        DeviceMask out = f.inOut(mask);
        device().prune().maskBoxes(boxes, f.in(kept), out);
        assertTrue(expected.bitEquals(f.mask(out)), boxes.toString());
      }
    }
  }

  @Test
  default void groupsOfSeveralMatricesStayApart() {
    Shape shape = Shape.of(3, 6, 5);
    float[] scores = Numbers.gaussian((int) shape.size(), 7);
    Mask expected = Mask.zeros(shape);
    for (int matrix = 0; matrix < 3; matrix++) {
      for (int column = 0; column < 5; column++) {
        for (int first = 0; first < 6; first += 4) {
          int r = Math.min(4, 6 - first);
          for (int i = first; i < first + r; i++) {
            int higher = 0;
            for (int j = first; j < first + r; j++) {
              float own = Math.abs(scores[(matrix * 6 + i) * 5 + column]);
              higher += Math.abs(scores[(matrix * 6 + j) * 5 + column]) > own ? 1 : 0;
            }
            expected.set((matrix * 6 + i) * 5 + column, higher < Math.ceilDiv(r * 2, 4));
          }
        }
      }
    }
    try (Fixture f = new Fixture(device())) {
      DeviceMask mask = f.outMask(shape);
      device().prune().selectNM(Key.ABS, new NM(2, 4, 0), f.in(shape, scores), null, mask);
      assertTrue(expected.bitEquals(f.mask(mask)));
    }
  }

  @Test
  default void refusesBoxesThatDoNotFit() {
    assertThrows(
        IllegalArgumentException.class, () -> new Boxes(Shape.of(1, 2, 2), Shape.of(1, 3, 1)));
    assertThrows(IllegalArgumentException.class, () -> new Boxes(Shape.of(2, 2), Shape.of(1, 1)));
    Boxes boxes = new Boxes(Shape.of(1, 2, 2), Shape.of(1, 1, 2));
    try (Fixture f = new Fixture(device())) {
      DeviceMask mask = f.in(Mask.ones(Shape.of(2, 2)));
      DeviceMask small = f.in(Mask.ones(Shape.of(3)));
      assertThrows(
          IllegalArgumentException.class, () -> device().prune().maskBoxes(boxes, small, mask));
    }
  }
}
