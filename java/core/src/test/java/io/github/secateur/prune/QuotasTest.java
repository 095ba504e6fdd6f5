package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Allocation against hand-written counts. */
class QuotasTest {
  private static final List<Layer> LAYERS =
      List.of(
          new Layer("fc1", "fc1.weight", Shape.of(5, 4), 0, 1),
          new Layer("fc2", "fc2.weight", Shape.of(2, 5), 0, 1));

  @ParameterizedTest
  @CsvSource({
    "0.5, 5, 2",
    "0.5, 7, 4",
    "0.5, 1, 0",
    "0.5, 3, 2",
    "0, 9, 0",
    "1, 9, 9",
    "0.9, 10, 9"
  })
  void countsRoundHalvesToEven(double sparsity, long n, long k) {
    assertEquals(k, Quotas.count(sparsity, n));
  }

  @Test
  void globalIsOneGroup() {
    Quotas quotas = Quotas.of(new Allocation.Global(), LAYERS, 0.55, 0.9);
    assertArrayEquals(new int[] {0, 0}, quotas.group());
    assertArrayEquals(new long[] {16}, quotas.k()); // 16.5 to even
  }

  @Test
  void perLayerIsAGroupEach() {
    Quotas quotas = Quotas.of(new Allocation.PerLayer(), LAYERS, 0.55, 0.9);
    assertArrayEquals(new int[] {0, 1}, quotas.group());
    assertArrayEquals(new long[] {11, 6}, quotas.k());
  }

  @Test
  void ratiosScaleWithTheScheduleAndLeaveOtherLayersDense() {
    Allocation ratios = new Allocation.Ratios(Map.of("fc1", 0.8));
    double target = Quotas.target(ratios, LAYERS, 0.123);
    assertEquals(16 / 30.0, target);
    assertArrayEquals(new long[] {16, 0}, Quotas.of(ratios, LAYERS, target, target).k());
    assertArrayEquals(new long[] {8, 0}, Quotas.of(ratios, LAYERS, target / 2, target).k());
  }

  @Test
  void anUnknownLayerIsNamedWithThoseThatThereAre() {
    Allocation ratios = new Allocation.Ratios(Map.of("fc9", 0.8));
    var e = assertThrows(IllegalArgumentException.class, () -> Quotas.target(ratios, LAYERS, 0.5));
    assertEquals("there is no prunable layer 'fc9'; there are fc1, fc2", e.getMessage());
  }
}
