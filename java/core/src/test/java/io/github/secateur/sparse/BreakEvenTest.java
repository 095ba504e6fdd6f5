package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.tensor.Shape;
import java.nio.file.Path;
import java.util.function.DoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BreakEvenTest {
  private static final SparseFormat ROWS = new SparseFormat.Rows();

  @TempDir Path folder;

  /** Dense 100; sparse as many times the density as given. */
  private static DoubleFunction<BreakEven.Point> times(double slope) {
    return sparsity -> new BreakEven.Point(sparsity, 100, slope * (1 - sparsity), "csr");
  }

  @Test
  void timesProportionalToDensityGiveTheExactCrossing() {
    for (double slope : new double[] {190, 300, 450, 730, 1500, 7000}) {
      BreakEven found = BreakEven.search(ROWS, 0.05, times(slope));
      assertEquals(1 - 95 / slope, found.sparsity(), 1e-12);
      assertEquals("csr", found.pattern());
      assertTrue(found.points().size() <= 4, found::toString);
      double before = 0;
      for (BreakEven.Point point : found.points()) {
        assertTrue(point.sparsity() > before);
        before = point.sparsity();
      }
    }
  }

  @Test
  void alwaysAndNever() {
    assertEquals(0.3, BreakEven.search(ROWS, 0.05, times(100)).sparsity());
    BreakEven never = BreakEven.search(ROWS, 0.05, times(1e5));
    assertNull(never.sparsity());
    assertEquals("sparse pays at no sparsity up to 99 % here", never.sentence());
  }

  @Test
  void groupsKnowTheirOwnSparsitiesOnly() {
    BreakEven found = BreakEven.search(new SparseFormat.NM(2, 8), 0.05, times(300));
    assertEquals(0.75, found.sparsity());
    assertEquals("2:8", found.pattern());
    assertEquals("sparse pays from 75 % on here", found.sentence());
  }

  @Test
  void aFoundOneIsKept() {
    TuneCache cache = new TuneCache(folder.resolve("tuning"), TuneCache.Use.KEEP);
    Sparsify.Options options = new Sparsify.Options(0.05, 0.3, 3, cache, false);
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      SparseFormat blocks = new SparseFormat.Blocks(4, 1);
      BreakEven first = BreakEven.find(device, Shape.of(96, 64), 16, blocks, options);
      assertTrue(!first.points().isEmpty() && first.points().size() <= 4);
      for (BreakEven.Point point : first.points()) {
        assertTrue(point.denseMicros() > 0 && point.sparseMicros() > 0);
      }
      assertEquals(first, BreakEven.find(device, Shape.of(96, 64), 16, blocks, options));
      assertEquals(0, device.liveBuffers());
      assertThrows(
          IllegalArgumentException.class,
          () -> BreakEven.find(device, Shape.of(96), 16, blocks, options));
    }
  }
}
