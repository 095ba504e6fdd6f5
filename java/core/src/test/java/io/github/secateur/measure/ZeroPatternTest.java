package io.github.secateur.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.Tensor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Synthetic weights: exact counts of zeros, and zeros where the pattern says. */
class ZeroPatternTest {
  private static final int OUT = 60;
  private static final int IN = 128;

  private static Tensor weights(String label, double sparsity) {
    return ZeroPattern.parse(label).weights(OUT, IN, sparsity, 7);
  }

  private static long nonzeros(Tensor weight, int row) {
    return IntStream.range(0, IN).filter(c -> weight.getFloat((long) row * IN + c) != 0).count();
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 1.0 / 3, 0.5, 0.9, 0.999, 1})
  void sparsityIsExact(double sparsity) {
    for (String label : new String[] {"random", "skewed"}) {
      long zeros = OUT * IN - MatrixBench.nonzeros(weights(label, sparsity));
      assertEquals((long) Math.rint(sparsity * OUT * IN), zeros, label);
    }
    long blocks = OUT / 4 * IN;
    long kept = MatrixBench.nonzeros(weights("4x1", sparsity)) / 4;
    assertEquals((long) Math.rint(sparsity * blocks), blocks - kept);
  }

  @ParameterizedTest
  @ValueSource(strings = {"4x1", "1x4", "2x8", "15x16", "60x1"})
  void blocksAreWhole(String label) {
    Tensor weight = weights(label, 0.8);
    int x = label.indexOf('x');
    int rows = Integer.parseInt(label.substring(0, x));
    int cols = Integer.parseInt(label.substring(x + 1));
    assertTrue(MatrixBench.nonzeros(weight) > 0);
    for (int r = 0; r < OUT; r++) {
      for (int c = 0; c < IN; c++) {
        float corner = weight.getFloat((long) (r - r % rows) * IN + c - c % cols);
        assertEquals(corner != 0, weight.getFloat((long) r * IN + c) != 0, r + ", " + c);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"2:4", "1:4", "1:2", "3:32"})
  void groupsHoldExactlyN(String label) {
    Tensor weight = weights(label, 0.123);
    int n = Integer.parseInt(label.substring(0, 1));
    int m = Integer.parseInt(label.substring(2));
    for (int g = 0; g < OUT * IN; g += m) {
      int kept = 0;
      for (int i = g; i < g + m; i++) {
        kept += weight.getFloat(i) != 0 ? 1 : 0;
      }
      assertEquals(n, kept, "group at " + g);
    }
    assertEquals(OUT * IN / m * n, MatrixBench.nonzeros(weight));
    assertEquals(1 - (double) n / m, ZeroPattern.parse(label).sparsity(0.123));
  }

  @Test
  void skewedRowsDifferMoreThanRandomOnes() {
    assertTrue(deviation(weights("skewed", 0.8)) > 2 * deviation(weights("random", 0.8)));
  }

  private static double deviation(Tensor weight) {
    double mean = (double) MatrixBench.nonzeros(weight) / OUT;
    return Math.sqrt(
        IntStream.range(0, OUT)
            .mapToDouble(r -> Math.pow(nonzeros(weight, r) - mean, 2) / OUT)
            .sum());
  }

  @Test
  void theSeedDecides() {
    ZeroPattern random = ZeroPattern.parse("random");
    assertTrue(random.weights(9, 11, 0.5, 1).bitEquals(random.weights(9, 11, 0.5, 1)));
    assertFalse(random.weights(9, 11, 0.5, 1).bitEquals(random.weights(9, 11, 0.5, 2)));
  }

  @Test
  void keptWeightsAreNeitherZeroNorHuge() {
    Tensor weight = weights("random", 0);
    for (long i = 0; i < weight.size(); i++) {
      float magnitude = Math.abs(weight.getFloat(i));
      assertTrue(magnitude >= 0.5f && magnitude < 1, () -> "weight " + magnitude);
    }
  }

  @Test
  void labelsAreReadBack() {
    for (String label : new String[] {"random", "skewed", "4x1", "16x16", "2:4", "1:32"}) {
      assertEquals(label, ZeroPattern.parse(label).label());
    }
    for (String label : new String[] {"", "csr", "gather", "diagonal", "4x", "0x1", "65x1"}) {
      assertThrows(IllegalArgumentException.class, () -> ZeroPattern.parse(label), label);
    }
    for (String label : new String[] {"4:2", "4:4", "0:4", "1:33", "1x1"}) {
      assertThrows(IllegalArgumentException.class, () -> ZeroPattern.parse(label), label);
    }
  }

  @Test
  void refusesAShapeThatItDoesNotDivide() {
    IllegalArgumentException rows =
        assertThrows(
            IllegalArgumentException.class, () -> ZeroPattern.parse("4x1").checkFits(6, 8));
    assertEquals(
        "pattern 4x1 does not fit 6 x 8 weights: 6 outputs are no multiple of 4",
        rows.getMessage());
    IllegalArgumentException groups =
        assertThrows(
            IllegalArgumentException.class, () -> ZeroPattern.parse("2:4").checkFits(4, 7));
    assertEquals(
        "pattern 2:4 does not fit 4 x 7 weights: 7 inputs are no multiple of 4",
        groups.getMessage());
  }
}
