package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.PruneOps.Key;
import io.github.secateur.device.PruneOps.Segment;
import io.github.secateur.device.PruneOps.Selection;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Selection by sorting: of each group, what was pruned before, then the lowest scores, of equal
 * scores those of higher flat index (the lower are kept).
 */
final class SelectionOracle {
  /**
   * A tensor to select from.
   *
   * @param previous or null
   */
  record Input(float[] scores, Mask previous, int group) {
    static Input of(float... scores) {
      return new Input(scores, null, 0);
    }

    Shape shape() {
      return Shape.of(scores.length);
    }
  }

  private SelectionOracle() {}

  /** Runs the device and the oracle, and compares masks bit for bit and results. */
  static List<Selection> check(Device device, Key key, List<Input> inputs, long... k) {
    return check(device, DType.F32, key, inputs, k);
  }

  /** The same for scores of another type, which must hold the inputs' exactly. */
  static List<Selection> check(Device device, DType dtype, Key key, List<Input> inputs, long... k) {
    try (Fixture f = new Fixture(device)) {
      List<Segment> segments = new ArrayList<>();
      for (Input input : inputs) {
        DeviceMask previous = input.previous() == null ? null : f.in(input.previous());
        DeviceMask mask = f.outMask(input.shape());
        segments.add(
            new Segment(
                f.in(Halves.of(dtype, input.shape(), input.scores())),
                previous,
                mask,
                input.group()));
      }
      List<Selection> selections = device.prune().select(key, segments, k);
      assertEquals(k.length, selections.size());
      List<Mask> expected = new ArrayList<>();
      inputs.forEach(input -> expected.add(Mask.ones(input.shape())));
      for (int g = 0; g < k.length; g++) {
        Selection wanted = prune(key, inputs, expected, g, k[g]);
        Selection got = selections.get(g);
        String what = "group %d, k %d, path %d".formatted(g, k[g], got.path());
        assertEquals(wanted.pruned(), got.pruned(), what + ": pruned");
        assertTrue(
            wanted.threshold() == got.threshold()
                || Float.isNaN(wanted.threshold()) && Float.isNaN(got.threshold()),
            what + ": threshold " + got.threshold() + ", wanted " + wanted.threshold());
        if (!Float.isNaN(wanted.threshold()) && got.path() != 0) {
          assertEquals(wanted.tied(), got.tied(), what + ": tied");
        }
      }
      for (int i = 0; i < inputs.size(); i++) {
        Mask got = f.mask(segments.get(i).mask());
        if (!expected.get(i).bitEquals(got)) {
          throw new AssertionError(
              "mask of tensor %d is wrong first in the bits of byte %d; selections %s"
                  .formatted(i, expected.get(i).words().mismatch(got.words()), selections));
        }
      }
      return selections;
    }
  }

  /** Clears the pruned bits of a group in the masks. */
  private static Selection prune(Key key, List<Input> inputs, List<Mask> masks, int group, long k) {
    int total = 0;
    for (Input input : inputs) {
      total += input.group() == group ? input.scores().length : 0;
    }
    // Sorted ascending: key above, complement of the flat index below.
    long[] order = new long[total];
    int live = 0;
    long before = 0;
    int flat = 0;
    for (int s = 0; s < inputs.size(); s++) {
      Input input = inputs.get(s);
      for (int i = 0; input.group() == group && i < input.scores().length; i++, flat++) {
        if (input.previous() != null && !input.previous().kept(i)) {
          masks.get(s).set(i, false);
          before++;
        } else {
          order[live++] = (long) rank(key, input.scores()[i]) << 32 | (0xffffffffL - flat);
        }
      }
    }
    Arrays.parallelSort(order, 0, live);
    int lowest = (int) Math.max(0, k - before);
    boolean[] pruned = new boolean[total];
    for (int i = 0; i < lowest; i++) {
      pruned[(int) (0xffffffffL - (order[i] & 0xffffffffL))] = true;
    }
    float threshold = Float.NaN;
    flat = 0;
    for (int s = 0; s < inputs.size(); s++) {
      Input input = inputs.get(s);
      for (int i = 0; input.group() == group && i < input.scores().length; i++, flat++) {
        if (pruned[flat]) {
          masks.get(s).set(i, false);
          if (rank(key, input.scores()[i]) == (int) (order[lowest - 1] >> 32)) {
            threshold = key == Key.ABS ? Math.abs(input.scores()[i]) : input.scores()[i];
          }
        }
      }
    }
    long tied = 0;
    for (int i = 0; lowest > 0 && i < live; i++) {
      tied += order[i] >> 32 == order[lowest - 1] >> 32 ? 1 : 0;
    }
    return new Selection(before + lowest, threshold, tied, 0, 0);
  }

  /** An int that orders as the key does. */
  static int rank(Key key, float score) {
    if (key == Key.ABS) {
      return Float.floatToRawIntBits(score) & 0x7fffffff;
    }
    int bits = Float.floatToRawIntBits(score == 0 ? 0f : score);
    return bits >= 0 ? bits : Integer.MIN_VALUE - bits;
  }
}
