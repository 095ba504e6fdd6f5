package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.NM;
import io.github.secateur.device.PruneOps.NanScoreException;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** N:M selection against sorting each group. */
public interface SelectNmContract extends Contract {
  /** Rows and columns. */
  int[][] NM_MATRICES = {{0, 4}, {3, 0}, {1, 1}, {1, 7}, {5, 4}, {33, 65}, {64, 128}, {7, 1009}};

  /** Patterns. */
  int[][] NM_PATTERNS = {{1, 1}, {1, 2}, {2, 4}, {4, 8}, {3, 5}, {1, 32}, {31, 32}};

  @Test
  default void keepsTheHighestOfEveryGroup() {
    for (int[] size : NM_MATRICES) {
      for (int[] nm : NM_PATTERNS) {
        for (int axis = 0; axis < 2; axis++) {
          ScoreSamples samples =
              ScoreSamples.values()[(size[1] + nm[1] + axis) % ScoreSamples.values().length];
          for (DType dtype : Halves.TYPES) {
            check(dtype, samples, Shape.of(size[0], size[1]), new NM(nm[0], nm[1], axis));
          }
        }
      }
    }
  }

  private void check(DType dtype, ScoreSamples samples, Shape shape, NM pattern) {
    int n = (int) shape.size();
    float[] scores = Halves.rounded(dtype, samples.draw(n, n));
    Mask previous = Mask.ones(shape);
    for (int i = 0; i < n; i += 3) {
      previous.set(i, false);
      scores[i] = i % 2 == 0 ? Float.NaN : scores[i]; // pruned before: it does not matter
    }
    for (Key key : Key.values()) {
      String what = "%s %s %s %s %s".formatted(key, dtype, samples, shape, pattern);
      try (Fixture f = new Fixture(device())) {
        DeviceMask mask = f.outMask(shape);
        var dscores = f.in(Halves.of(dtype, shape, scores));
        device().prune().selectNM(key, pattern, dscores, f.in(previous), mask);
        Mask expected = oracle(key, scores, previous, pattern);
        assertTrue(expected.bitEquals(f.mask(mask)), what);
        DeviceMask same = f.inOut(previous);
        device().prune().selectNM(key, pattern, dscores, same, same);
        assertTrue(expected.bitEquals(f.mask(same)), what + " over the previous mask");
      }
    }
  }

  private static Mask oracle(Key key, float[] scores, Mask previous, NM pattern) {
    int rows = (int) previous.shape().dim(0);
    int cols = (int) previous.shape().dim(1);
    int lines = pattern.axis() == 1 ? rows : cols;
    int length = pattern.axis() == 1 ? cols : rows;
    Mask mask = Mask.zeros(previous.shape());
    for (int line = 0; line < lines; line++) {
      for (int first = 0; first < length; first += pattern.m()) {
        int r = Math.min(pattern.m(), length - first);
        List<Integer> live = new ArrayList<>();
        for (int i = first; i < first + r; i++) {
          int flat = pattern.axis() == 1 ? line * cols + i : i * cols + line;
          if (previous.kept(flat)) {
            live.add(flat);
          }
        }
        // Highest first, and of equal ones the lower index: so many stay.
        Comparator<Integer> order =
            Comparator.comparing(i -> -SelectionOracle.rank(key, scores[i]));
        live.sort(order.thenComparing(Comparator.naturalOrder()));
        int kept = (r * pattern.n() + pattern.m() - 1) / pattern.m();
        live.stream().limit(kept).forEach(flat -> mask.set(flat, true));
      }
    }
    return mask;
  }

  @Test
  default void refusesNanInAGroupAndLeavesTheMaskAlone() {
    float[] scores = Numbers.gaussian(33 * 65, 1);
    scores[100] = Float.NaN;
    scores[2000] = Float.NaN;
    try (Fixture f = new Fixture(device())) {
      var dscores = f.in(Shape.of(33, 65), scores);
      DeviceMask mask = f.in(Mask.ones(Shape.of(33, 65))); // closing checks that it is unchanged
      for (int axis = 0; axis < 2; axis++) {
        NM pattern = new NM(2, 4, axis);
        NanScoreException e =
            assertThrows(
                NanScoreException.class,
                () -> device().prune().selectNM(Key.ABS, pattern, dscores, null, mask));
        assertEquals(0, e.segment());
        assertEquals(100, e.index());
      }
    }
  }

  @Test
  default void refusesPatternsAndMasksThatDoNotFit() {
    assertThrows(IllegalArgumentException.class, () -> new NM(0, 4, 1));
    assertThrows(IllegalArgumentException.class, () -> new NM(5, 4, 1));
    assertThrows(IllegalArgumentException.class, () -> new NM(2, 33, 1));
    assertThrows(IllegalArgumentException.class, () -> new NM(2, 4, 2));
    try (Fixture f = new Fixture(device())) {
      DeviceMask mask = f.in(Mask.ones(Shape.of(5)));
      NM pattern = new NM(2, 4, 1);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .prune()
                  .selectNM(Key.ABS, pattern, f.in(Shape.of(2, 2), 1, 2, 3, 4), null, mask));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().selectNM(Key.ABS, pattern, f.in(1, 2, 3, 4, 5), null, mask));
    }
  }
}
