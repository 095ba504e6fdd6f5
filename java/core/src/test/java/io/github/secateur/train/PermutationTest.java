package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PermutationTest {
  @Test
  void holdsEveryIndexOnce() {
    Random random = new Random(1);
    for (int n = 0; n < 5000; n += n < 70 ? 1 : 97) {
      long seed = random.nextLong();
      int epoch = random.nextInt();
      int[] order = Permutation.of(n, seed, epoch);
      Arrays.sort(order);
      for (int i = 0; i < n; i++) {
        assertEquals(i, order[i], "n %d, seed %d, epoch %d".formatted(n, seed, epoch));
      }
    }
  }

  /**
   * Made by a program of its own in Python. Whoever changes these breaks the resuming of every
   * checkpoint made before.
   */
  @Test
  void staysAsItWas() {
    assertArrayEquals(GOLDEN_1_0, Permutation.of(10, 1, 0));
    assertArrayEquals(GOLDEN_1_1, Permutation.of(10, 1, 1));
    assertArrayEquals(GOLDEN_SPLIT, Permutation.of(10, -5, Permutation.VALIDATION_SPLIT));
  }

  private static final int[] GOLDEN_1_0 = {7, 5, 9, 8, 6, 2, 4, 3, 1, 0};
  private static final int[] GOLDEN_1_1 = {6, 2, 3, 5, 1, 9, 0, 8, 4, 7};
  private static final int[] GOLDEN_SPLIT = {9, 6, 4, 5, 3, 0, 2, 7, 8, 1};

  @Test
  void differsByEpochAndBySeed() {
    int[] order = Permutation.of(1000, 3, 0);
    assertFalse(Arrays.equals(order, Permutation.of(1000, 3, 1)));
    assertFalse(Arrays.equals(order, Permutation.of(1000, 4, 0)));
    assertArrayEquals(order, Permutation.of(1000, 3, 0));
  }

  /** χ² over where element 0 of 8 lands, 7 degrees of freedom: 24.3 is the 0.999 quantile. */
  @Test
  void isUniform() {
    int[] landed = new int[8];
    int orders = 40_000;
    for (int epoch = 0; epoch < orders; epoch++) {
      int[] order = Permutation.of(8, 99, epoch);
      for (int i = 0; i < 8; i++) {
        if (order[i] == 0) {
          landed[i]++;
        }
      }
    }
    double chi = 0;
    for (int count : landed) {
      chi += Math.pow(count - orders / 8.0, 2) / (orders / 8.0);
    }
    assertFalse(chi > 24.3, "chi² " + chi);
  }
}
