package io.github.secateur.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.graph.Model;
import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the package counts itself: bytes, weights, mask bits. */
class MeasuresTest {
  @TempDir Path folder;

  @Test
  void fileSizes() throws IOException {
    byte[] bytes = new byte[200_000];
    new Random(3).nextBytes(bytes);
    java.util.Arrays.fill(bytes, 50_000, 180_000, (byte) 0);
    Path file = folder.resolve("model.onnx");
    Files.write(file, bytes);
    ByteArrayOutputStream gzip = new ByteArrayOutputStream();
    try (GZIPOutputStream out =
        new GZIPOutputStream(gzip) {
          {
            def.setLevel(9);
          }
        }) {
      out.write(bytes);
    }
    assertEquals(gzip.size(), FileSizes.gzippedSize(file), 64);
    FileSizes sizes = FileSizes.measure(file, null, null, null);
    assertEquals(200_000, sizes.dense());
    assertEquals(FileSizes.gzippedSize(file), sizes.gzipped());
    assertNull(sizes.withZeros());
    assertNull(sizes.sparse());
    Path missing = folder.resolve("missing.onnx");
    NoSuchFileException e =
        assertThrows(NoSuchFileException.class, () -> FileSizes.gzippedSize(missing));
    assertTrue(e.getMessage().contains("missing.onnx"));
  }

  @Test
  void histogramByHand() {
    Shape shape = Shape.of(2, 3);
    Tensor before = Tensor.of(shape, -2, -1, -0.1f, 0.1f, 1, 2);
    Tensor after = Tensor.of(shape, -1.5f, 0, 0, 0, 1, 2);
    Mask mask = Mask.ones(shape);
    mask.set(1, false);
    mask.set(2, false);
    WeightHistogram histogram = Histograms.of("w", before, after, mask, 4);
    assertEquals(List.of(-2.0, -1.0, 0.0, 1.0, 2.0), histogram.edges());
    assertEquals(List.of(1L, 2L, 1L, 2L), histogram.before());
    assertEquals(List.of(1L, 0L, 1L, 2L), histogram.after());
    assertEquals(2, histogram.prunedZeros());
  }

  @Test
  void histogramOfZerosAndOfNothing() {
    Tensor zeros = Tensor.of(Shape.of(3), 0, 0, 0);
    assertEquals(List.of(0L, 3L, 0L), Histograms.of("w", zeros, zeros, null, 3).before());
    Tensor none = Tensor.of(Shape.of(0));
    assertEquals(List.of(0L), Histograms.of("w", none, none, null, 1).after());
  }

  @Test
  void histogramRefusesNaNAndOtherShapes() {
    Tensor good = Tensor.of(Shape.of(2), 1, 2);
    Tensor bad = Tensor.of(Shape.of(2), 1, Float.NaN);
    Tensor longer = Tensor.of(Shape.of(3), 1, 2, 3);
    IllegalArgumentException nan =
        assertThrows(
            IllegalArgumentException.class, () -> Histograms.of("fc1.weight", good, bad, null, 3));
    assertTrue(nan.getMessage().contains("fc1.weight: weight 1 is NaN"), nan.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Histograms.of("w", good, longer, null, 3));
  }

  @Test
  void cellCountsMaskBits() {
    List<LayerSparsity> layers =
        List.of(
            new LayerSparsity("a", "a.w", Shape.of(10, 10), 90, 2, 10, 0),
            new LayerSparsity("b", "b.w", Shape.of(10), 4, 1, 1, 0));
    PruneResult result =
        new PruneResult((Model) null, 0.85, 94 / 110.0, Double.NaN, layers, List.of());
    Cell cell = Cell.of("magnitude", result, SampleReport.metrics(60), SampleReport.metrics(2));
    assertEquals(new MaskCounts(94, 16, 3), cell.mask());
    assertEquals(13, cell.mask().nonzeros());
    assertNull(cell.learned());
    assertTrue(cell.collapsed());
    assertEquals(58, cell.deltaPoints(), 1e-9);
    assertEquals(5L, cell.withExport(5L, null).withTrainSeconds(1).onnxNonzeros());
  }

  @Test
  void numbersWithUnits() {
    assertEquals("90 %", Numbers.percent(0.9));
    assertEquals("90.37 %", Numbers.percent(0.9037));
    assertEquals("100 %", Numbers.percent(1.0));
    assertEquals("0 %", Numbers.percent(0.0));
    assertNull(Numbers.percent(null));
    assertEquals("999 B", Numbers.bytes(999L));
    assertEquals("1.00 kB", Numbers.bytes(1000L));
    assertEquals("1.07 MB", Numbers.bytes(1_067_412L));
    assertEquals("616 kB", Numbers.bytes(615_819L));
    assertEquals("1 min 42 s", Numbers.seconds(101.5));
    assertEquals("1,234", Numbers.micros(1234.4));
    assertEquals("1.2", Numbers.micros(1.23));
    assertNull(Numbers.micros(Double.NaN));
  }
}
