package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.io.Samples;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DataSplitTest {
  /** Sample i is (i, i) with label i mod 3. */
  private static Samples numbered(int n) {
    float[] x = new float[2 * n];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      x[2 * i] = i;
      x[2 * i + 1] = i;
      labels[i] = i % 3;
    }
    return Toy.samples("numbered", x, 2, labels, 3);
  }

  @Test
  void splitsIntoTwoPartsInOrder() {
    DataSplit split = DataSplit.split(numbered(25), 0.1, 5);
    assertEquals(2, split.validation().count()); // half to even
    assertEquals(23, split.train().count());
    List<Integer> seen = new ArrayList<>();
    for (Samples part : List.of(split.train(), split.validation())) {
      float last = -1;
      for (int i = 0; i < part.count(); i++) {
        float value = part.x().getFloat(2L * i);
        assertTrue(value > last);
        assertEquals(value, part.x().getFloat(2L * i + 1));
        assertEquals((int) value % 3, part.labels().getInt(i));
        seen.add((int) value);
        last = value;
      }
    }
    assertEquals(25, seen.stream().distinct().count());
  }

  @Test
  void dependsOnTheSeedAlone() {
    DataSplit split = DataSplit.split(numbered(100), 0.2, 5);
    DataSplit again = DataSplit.split(numbered(100), 0.2, 5);
    DataSplit other = DataSplit.split(numbered(100), 0.2, 6);
    assertTrue(split.validation().x().bitEquals(again.validation().x()));
    assertEquals(split.hashes(), again.hashes());
    assertNotEquals(split.hashes(), other.hashes());
    assertNotEquals(split.train().sha256(), split.validation().sha256());
  }

  @Test
  void leavesAllToTraining() {
    assertNull(DataSplit.split(numbered(4), 0, 1).validation());
  }

  @Test
  void refusesEmptyParts() {
    assertThrows(IllegalArgumentException.class, () -> DataSplit.split(numbered(4), 0.1, 1));
    assertThrows(IllegalArgumentException.class, () -> DataSplit.split(numbered(4), 0.9, 1));
    assertThrows(IllegalArgumentException.class, () -> DataSplit.split(numbered(4), 1, 1));
    assertThrows(
        IllegalArgumentException.class, () -> DataSplit.of(numbered(4)).withTest(Toy.blobs(3, 1)));
  }
}
