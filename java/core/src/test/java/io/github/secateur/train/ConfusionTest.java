package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import org.junit.jupiter.api.Test;

class ConfusionTest {
  /** Seven samples of four classes, the last of which is neither present nor predicted. */
  @Test
  void countsByHand() {
    int[] labels = {0, 0, 0, 1, 1, 2, 2};
    int[] predicted = {0, 0, 1, 1, 0, 2, 1};
    float[] logits = new float[7 * 4];
    for (int i = 0; i < 7; i++) {
      logits[i * 4 + predicted[i]] = 1;
    }
    Confusion confusion = new Confusion(4);
    confusion.add(Tensor.of(Shape.of(7, 4), logits), labels);
    Metrics metrics = confusion.metrics();
    assertEquals(7, metrics.samples());
    assertEquals(4 / 7.0, metrics.accuracy(), 1e-15);
    assertEquals(300 / 7.0, metrics.errorPercent(), 1e-12);
    // Class 0: P 2/3, R 2/3. Class 1: P 1/3, R 1/2, F1 2/5. Class 2: P 1, R 1/2, F1 2/3. Class 3:
    // 0.
    assertEquals((2 / 3.0 + 2 / 5.0 + 2 / 3.0 + 0) / 4, metrics.macroF1(), 1e-15);
    assertArrayEquals(
        new long[][] {{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}}, metrics.confusion());
    // A hit costs log(e + 3) - 1, a miss log(e + 3).
    assertEquals(Math.log(Math.E + 3) - 4 / 7.0, metrics.loss(), 1e-12);
  }

  @Test
  void addsBatchesUp() {
    Confusion confusion = new Confusion(2);
    confusion.add(Tensor.of(Shape.of(1, 2), 0f, 5f), new int[] {1});
    confusion.add(Tensor.of(Shape.of(2, 2), 0f, 5f, 5f, 0f), new int[] {0, 0});
    assertEquals(3, confusion.metrics().samples());
    assertEquals(2 / 3.0, confusion.metrics().accuracy(), 1e-15);
  }

  @Test
  void predictsTheLowestOfEqualClasses() {
    Confusion confusion = new Confusion(3);
    confusion.add(Tensor.of(Shape.of(1, 3), 1f, 2f, 2f), new int[] {2});
    assertEquals(1, confusion.metrics().confusion()[2][1]);
  }

  @Test
  void survivesHugeLogits() {
    Confusion confusion = new Confusion(2);
    confusion.add(Tensor.of(Shape.of(1, 2), 3e38f, -3e38f), new int[] {0});
    assertEquals(0, confusion.metrics().loss());
  }

  @Test
  void refusesNaN() {
    Confusion confusion = new Confusion(2);
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                confusion.add(Tensor.of(Shape.of(2, 2), 0f, 1f, Float.NaN, 0f), new int[] {0, 0}));
    assertTrue(e.getMessage().contains("sample 1"), e.getMessage());
  }
}
