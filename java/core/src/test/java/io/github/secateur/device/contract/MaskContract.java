package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Operations on masks. */
public interface MaskContract extends Contract {
  private static Mask random(Shape shape, long seed) {
    Random random = new Random(seed);
    Mask mask = Mask.zeros(shape);
    for (int i = 0; i < shape.size(); i++) {
      mask.set(i, random.nextInt(3) > 0);
    }
    return mask;
  }

  @Test
  default void appliesMasksWithPositiveZeros() {
    for (int n : SIZES) {
      Numbers.all(n)
          .forEach(
              (name, w) -> {
                Mask mask = random(Shape.of(n), n);
                float[] expected = w.clone();
                for (int i = 0; i < n; i++) {
                  expected[i] = mask.kept(i) ? w[i] : 0f;
                }
                try (Fixture f = new Fixture(device())) {
                  DeviceTensor dw = f.inOut(w);
                  device().prune().applyMask(f.in(mask), dw);
                  Numbers.assertBits("applied to " + name, expected, f.read(dw));
                }
              });
    }
  }

  @Test
  default void appliesManyMasksAtOnce() {
    for (int count : new int[] {0, 1, 5, 150}) { // more than one launch takes
      try (Fixture f = new Fixture(device())) {
        List<DeviceMask> masks = new ArrayList<>();
        List<DeviceTensor> tensors = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        for (int t = 0; t < count; t++) {
          int n = SIZES[t % (SIZES.length - 1)];
          Mask mask = random(Shape.of(n), t);
          float[] w = Numbers.gaussian(n, t);
          float[] masked = w.clone();
          for (int i = 0; i < n; i++) {
            masked[i] = mask.kept(i) ? w[i] : 0f;
          }
          masks.add(f.in(mask));
          tensors.add(f.inOut(w));
          expected.add(masked);
        }
        device().prune().applyMasks(masks, tensors);
        for (int t = 0; t < count; t++) {
          Numbers.assertBits("tensor " + t, expected.get(t), f.read(tensors.get(t)));
        }
      }
    }
  }

  @Test
  default void countsKeptElementsAndTheirZeros() {
    for (int n : SIZES) {
      Mask mask = random(Shape.of(n), n + 1);
      float[] w = Numbers.gaussian(n, 2);
      long zeros = 0;
      for (int i = 0; i < n; i++) {
        w[i] = i % 4 == 0 ? (i % 8 == 0 ? 0f : -0f) : w[i];
        zeros += i % 4 == 0 && mask.kept(i) ? 1 : 0;
      }
      if (n > 7) {
        w[1] = Float.MIN_VALUE;
        w[2] = Float.NaN;
      }
      try (Fixture f = new Fixture(device())) {
        DeviceMask dmask = f.in(mask);
        assertEquals(mask.keptCount(), device().prune().keptCount(dmask));
        assertEquals(zeros, device().prune().keptZeros(dmask, f.in(w)));
      }
    }
  }

  @Test
  default void masksWholeRowsAndColumns() {
    int[][] sizes = {{1, 1}, {7, 13}, {31, 33}, {32, 32}, {64, 65}, {300, 784}, {2, 1009}};
    for (int[] size : sizes) {
      Shape shape = Shape.of(size[0], size[1]);
      for (int axis = 0; axis < 2; axis++) {
        Mask mask = random(shape, 3);
        Mask units = random(Shape.of(size[axis]), 4);
        Mask expected = Mask.zeros(shape);
        for (int i = 0; i < shape.size(); i++) {
          int unit = axis == 0 ? i / size[1] : i % size[1];
          expected.set(i, mask.kept(i) && units.kept(unit));
        }
        try (Fixture f = new Fixture(device())) {
          DeviceMask dmask = f.inOut(mask);
          device().prune().maskUnits(axis, f.in(units), dmask);
          assertTrue(expected.bitEquals(f.mask(dmask)), "axis " + axis + " of " + shape);
        }
      }
    }
  }

  @Test
  default void refusesMasksThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceMask mask = f.in(Mask.ones(Shape.of(2, 3)));
      assertThrows(
          IllegalArgumentException.class, () -> device().prune().applyMask(mask, f.inOut(1, 2)));
      assertThrows(
          IllegalArgumentException.class, () -> device().prune().keptZeros(mask, f.in(1, 2)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().applyMasks(List.of(mask), List.of()));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().applyMasks(List.of(mask), List.of(f.inOut(1, 2))));
      DeviceMask units = f.in(Mask.ones(Shape.of(3)));
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> device().prune().maskUnits(0, units, mask));
      assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class, () -> device().prune().maskUnits(0, units, units));
    }
  }
}
