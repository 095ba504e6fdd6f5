package io.github.secateur.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.measure.BenchResult.Product;
import io.github.secateur.sparse.Spread;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where the curves cross, from times given by hand. */
class CrossingTest {
  /** Dense takes 100 µs; the two formats take these times. */
  static BenchResult result(String pattern, double sparsity, double csr, double blocks) {
    return new BenchResult(
        "64 x 64",
        pattern,
        64,
        64,
        Math.round(4096 * (1 - sparsity)),
        sparsity,
        8,
        8,
        List.of(product("dense", 100), product("csr", csr), product("4x1", blocks)));
  }

  private static Product product(String format, double micros) {
    Spread spread = new Spread(micros, micros, micros, 3);
    return new Product(format, spread, 1, 1, 1, 1, 1, 1, 1, 100 / micros);
  }

  @Test
  void crossesWhereTimesAreEqual() {
    Crossing found =
        Crossing.of(
                List.of(
                    result("random", 0.9, 20, 30),
                    result("random", 0.4, 120, 180),
                    result("random", 0.6, 80, 200)))
            .getFirst();
    assertEquals(Crossing.Pays.FROM, found.pays());
    assertEquals(0.5, found.sparsity(), 1e-12);
    assertEquals(
        "64 x 64 at batch 8: sparse pays from 50 % on; at 90 % 5.0x (csr)", found.verdict());
  }

  @Test
  void theFastestFormatCounts() {
    Crossing found =
        Crossing.of(List.of(result("4x1", 0.5, 200, 110), result("4x1", 0.7, 150, 60))).getFirst();
    assertEquals(0.54, found.sparsity(), 1e-12);
    assertEquals(
        "64 x 64, 4x1, at batch 8: sparse pays from 54 % on; at 70 % 1.67x (4x1)", found.verdict());
  }

  @Test
  void aLuckyTimeBelowALossIsNoBreakEven() {
    Crossing found =
        Crossing.of(
                List.of(
                    result("random", 0.5, 95, 300),
                    result("random", 0.6, 110, 300),
                    result("random", 0.8, 90, 300)))
            .getFirst();
    assertEquals(0.7, found.sparsity(), 1e-12);
  }

  @Test
  void saysWhenItIsOutsideWhatWasMeasured() {
    List<BenchResult> results = new ArrayList<>();
    results.add(result("random", 0.5, 300, 290));
    results.add(result("random", 0.9, 125, 200));
    results.add(result("skewed", 0.5, 80, 90));
    results.add(result("skewed", 0.9, 10, 12));
    results.add(result("2:4", 0.5, 70, 90));
    results.add(result("1:2", 0.5, 170, 190));
    List<Crossing> found = Crossing.of(results);
    assertEquals(
        List.of(
            "64 x 64 at batch 8: sparse does not pay; at 90 % 0.80x (csr)",
            "64 x 64, skewed, at batch 8: sparse pays from below 50 % on; at 90 % 10x (csr)",
            "64 x 64, 2:4, at batch 8: sparse pays; at 50 % 1.43x (csr)",
            "64 x 64, 1:2, at batch 8: sparse does not pay; at 50 % 0.59x (csr)"),
        found.stream().map(Crossing::verdict).toList());
    found.forEach(b -> assertNull(b.sparsity(), b.verdict()));
  }

  @Test
  void matricesWithoutSparseTimesHaveNone() {
    BenchResult dense =
        new BenchResult("a", "random", 1, 1, 1, 0, 1, 1, List.of(product("dense", 1)));
    assertTrue(Crossing.of(List.of(dense)).isEmpty());
  }
}
