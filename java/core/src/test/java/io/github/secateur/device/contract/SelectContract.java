package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.NanScoreException;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.PruneOps.Selection;
import io.github.secateur.device.contract.SelectionOracle.Input;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Exact selection against a sort. */
public interface SelectContract extends Contract {
  /** A mask that prunes what {@code period} divides. */
  private static Mask every(int n, int period) {
    Mask mask = Mask.ones(Shape.of(n));
    for (int i = 0; i < n; i += period) {
      mask.set(i, false);
    }
    return mask;
  }

  private void check(Key key, List<Input> inputs, long... k) {
    SelectionOracle.check(device(), key, inputs, k);
  }

  private static boolean[] kept(Mask mask) {
    boolean[] kept = new boolean[(int) mask.size()];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = mask.kept(i);
    }
    return kept;
  }

  @Test
  default void prunesByHandWrittenTable() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor scores = f.in(3, -1, 2, 1, -0f, 1, 5);
      DeviceMask mask = f.outMask(Shape.of(7));
      List<Segment> segments = List.of(new Segment(scores, null, mask, 0));
      // |x|: 3 1 2 1 0 1 5; of the three ones, index 5 then 3 go first.
      Selection s = device().prune().select(Key.ABS, segments, new long[] {3}).getFirst();
      assertEquals(3, s.pruned());
      assertEquals(1f, s.threshold());
      boolean[] wanted = {true, true, true, false, false, false, true};
      assertArrayEquals(wanted, kept(f.mask(mask)));
      s = device().prune().select(Key.SIGNED, segments, new long[] {2}).getFirst();
      assertEquals(0f, s.threshold());
      assertArrayEquals(
          new boolean[] {true, false, true, true, false, true, true}, kept(f.mask(mask)));
    }
  }

  @Test
  default void selectsAtEverySize() {
    for (int n : SIZES) {
      for (ScoreSamples samples : ScoreSamples.values()) {
        Input input = Input.of(samples.draw(n, n));
        for (Key key : Key.values()) {
          for (long k : new long[] {0, n / 10, n / 2, n - n / 10, n}) {
            check(key, List.of(input), k);
          }
        }
      }
    }
  }

  @Test
  default void selectsAmongScoresOfHalfTypes() {
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      for (ScoreSamples samples : ScoreSamples.values()) {
        for (int n : new int[] {0, 1, 33, 1009, 100_003}) {
          float[] scores = Halves.rounded(dtype, samples.draw(n, n));
          List<Input> inputs =
              List.of(Input.of(scores), new Input(scores, every(n, 3), 0), Input.of(1, -2, 0.5f));
          for (Key key : Key.values()) {
            for (long k : new long[] {0, n / 2, n, 2L * n + 3}) {
              SelectionOracle.check(device(), dtype, key, inputs, k);
            }
          }
        }
      }
    }
  }

  @Test
  default void refusesScoresOfDifferentTypes() {
    try (Fixture f = new Fixture(device())) {
      DeviceMask mask = f.in(Mask.ones(Shape.of(2)));
      List<Segment> mixed =
          List.of(
              new Segment(f.in(1, 2), null, mask, 0),
              new Segment(f.in(Halves.of(DType.F16, Shape.of(2), 1, 2)), null, mask, 0));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().select(Key.ABS, mixed, new long[] {1}));
      Segment integers = new Segment(f.in(Tensor.ofInts(Shape.of(2), 1, 2)), null, mask, 0);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().prune().select(Key.ABS, List.of(integers), new long[] {1}));
      assertTrue(e.getMessage().contains("F32, F16 or BF16"), e.getMessage());
    }
  }

  @Test
  default void selectsEveryCountOfASmallTensor() {
    for (ScoreSamples samples : ScoreSamples.values()) {
      Input input = new Input(samples.draw(67, 3), every(67, 5), 0);
      for (int k = 0; k <= 67; k++) {
        check(Key.ABS, List.of(input), k);
      }
    }
  }

  @Test
  default void selectsOverTensorsAndGroups() {
    for (ScoreSamples samples : ScoreSamples.values()) {
      List<Input> inputs = new ArrayList<>();
      int[] sizes = {235_200, 1, 30_000, 0, 33, 1000};
      for (int s = 0; s < sizes.length; s++) {
        Mask previous = s % 2 == 0 ? null : every(sizes[s], 3);
        inputs.add(new Input(samples.draw(sizes[s], s), previous, s % 2));
      }
      check(Key.ABS, inputs, 0, 0);
      check(Key.ABS, inputs, 238_000, 500);
      check(Key.SIGNED, inputs, 26_523, 1001);
      check(Key.ABS, inputs, 265_233, 1001);
    }
  }

  @Test
  default void countsWhatWasPrunedFirst() {
    float[] scores = ScoreSamples.GAUSSIAN.draw(1000, 1);
    for (int i = 0; i < 1000; i += 2) {
      scores[i] = i % 4 == 0 ? 100 : Float.NaN; // pruned before: neither high nor NaN matters
    }
    Input input = new Input(scores, every(1000, 2), 0);
    check(Key.ABS, List.of(input), 700);
    check(Key.ABS, List.of(input), 500);
    // Below what was pruned before: all of it stays pruned, and the result says how many.
    check(Key.ABS, List.of(input), 300);
    check(Key.ABS, List.of(input), 1000);
  }

  @Test
  default void writesOverThePreviousMask() {
    float[] scores = ScoreSamples.GAUSSIAN.draw(5000, 2);
    try (Fixture f = new Fixture(device())) {
      DeviceTensor dscores = f.in(scores);
      DeviceMask apart = f.outMask(Shape.of(5000));
      DeviceMask same = f.inOut(every(5000, 7));
      DeviceMask previous = f.in(every(5000, 7));
      long[] k = {2500};
      device().prune().select(Key.ABS, List.of(new Segment(dscores, previous, apart, 0)), k);
      device().prune().select(Key.ABS, List.of(new Segment(dscores, same, same, 0)), k);
      assertTrue(f.mask(apart).bitEquals(f.mask(same)));
      assertEquals(2500, f.mask(same).prunedCount());
    }
  }

  @Test
  default void refusesNanAndLeavesMasksAlone() {
    for (int n : new int[] {10, 100_003, 2_000_003}) {
      float[] scores = ScoreSamples.GAUSSIAN.draw(n, 3);
      scores[7] = Float.NaN;
      scores[n - 1] = Float.intBitsToFloat(0xffc00001); // negative, and later
      try (Fixture f = new Fixture(device())) {
        DeviceMask first = f.in(every(n, 3));
        DeviceMask second = f.in(every(n, 2));
        List<Segment> segments =
            List.of(
                new Segment(f.in(ScoreSamples.GAUSSIAN.draw(n, 4)), null, first, 0),
                new Segment(f.in(scores), null, second, 0));
        for (Key key : Key.values()) {
          for (long k : new long[] {1, n}) {
            NanScoreException e =
                assertThrows(
                    NanScoreException.class,
                    () -> device().prune().select(key, segments, new long[] {k}));
            assertEquals(1, e.segment());
            assertEquals(7, e.index());
          }
        }
      } // closing checks that both masks are as they were
    }
  }

  @Test
  default void selectsAmongMillions() {
    for (ScoreSamples samples : ScoreSamples.values()) {
      int n = 1_200_007;
      float[] scores = samples.draw(n, 5);
      check(Key.ABS, List.of(Input.of(scores)), n * 9L / 10);
      check(Key.SIGNED, List.of(new Input(scores, every(n, 4), 0)), n / 2);
    }
    int n = 10_000_000;
    check(Key.ABS, List.of(Input.of(ScoreSamples.GAUSSIAN.draw(n, 6))), n * 9L / 10);
    check(Key.ABS, List.of(Input.of(ScoreSamples.MOSTLY_ZERO.draw(n, 7))), n / 2);
    check(Key.ABS, List.of(Input.of(ScoreSamples.COLUMN_SCALED.draw(n, 8))), n * 95L / 100);
  }

  @Test
  default void refusesCountsAndGroupsThatDoNotExist() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor scores = f.in(1, 2, 3);
      DeviceMask mask = f.in(Mask.ones(Shape.of(3)));
      for (long k : new long[] {-1, 4}) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    device()
                        .prune()
                        .select(
                            Key.ABS, List.of(new Segment(scores, null, mask, 0)), new long[] {k}));
        assertTrue(e.getMessage().contains(Long.toString(k)), e.getMessage());
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .prune()
                  .select(Key.ABS, List.of(new Segment(scores, null, mask, 1)), new long[] {1}));
      DeviceMask wrong = f.in(Mask.ones(Shape.of(4)));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .prune()
                  .select(Key.ABS, List.of(new Segment(scores, null, wrong, 0)), new long[] {1}));
      assertEquals(List.of(), device().prune().select(Key.ABS, List.of(), new long[0]));
    }
  }
}
