package io.github.secateur.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.measure.BenchResult.Product;
import io.github.secateur.measure.WeightMatrix.Layer;
import io.github.secateur.sparse.Stopwatch;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Progress;
import io.github.secateur.train.Provenance;
import io.github.secateur.train.StoppedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark on small matrices: what it measures and derives, never how fast. */
class BenchTest {
  private static final MatrixBench.Options OPTIONS = options(List.of());

  @TempDir Path folder;

  private static MatrixBench.Options options(List<SparseFormat> formats) {
    return new MatrixBench.Options(new Stopwatch.Options(1, 0), 1e-4, formats);
  }

  private static WeightMatrix matrix(long out, long in, String pattern, double sparsity) {
    return WeightMatrix.of(Layer.of(out, in), ZeroPattern.parse(pattern), sparsity, 3);
  }

  private static BenchReport run(
      List<WeightMatrix> matrices, List<Long> batches, MatrixBench.Options options)
      throws Exception {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      Provenance provenance = Provenance.of(device, 1, Map.of(), Map.of());
      Bench.Plan plan = new Bench.Plan("test", null, matrices, batches, options, List.of());
      BenchReport report = Bench.run(device, plan, List.of(), provenance, Progress.NONE);
      assertEquals(0, device.liveBuffers());
      return report;
    }
  }

  @Test
  void measuresEveryMatrixAtEveryBatch() throws Exception {
    List<WeightMatrix> matrices = new ArrayList<>();
    for (String pattern : List.of("random", "skewed", "4x1", "2:4")) {
      matrices.add(matrix(20, 36, pattern, 0.75));
    }
    matrices.add(matrix(20, 36, "random", 0));
    matrices.add(matrix(20, 36, "random", 1));
    BenchReport report = run(matrices, List.of(1L, 5L), OPTIONS);
    assertEquals(12, report.results().size());
    assertTrue(report.roofline().peakGflops() > 0 && report.roofline().bandwidthGBs() > 0);
    for (BenchResult r : report.results()) {
      assertTrue(r.dense().dense());
      assertTrue(r.products().stream().anyMatch(p -> p.format().equals("csr")), r::toString);
      assertEquals(1 - r.nonzeros() / 720.0, r.sparsity());
      r.products().forEach(p -> checkRates(r, p, report.roofline()));
    }
    assertEquals(
        List.of(180L, 180L, 180L, 180L, 180L, 180L, 360L, 360L, 720L, 720L, 0L, 0L),
        report.results().stream().map(BenchResult::nonzeros).toList());
  }

  private static void checkRates(BenchResult r, Product p, Roofline roofline) {
    double seconds = 1e-6 * p.micros().median();
    double useful = 2.0 * r.nonzeros() * r.batch();
    double all = 2.0 * r.out() * r.in() * r.batch();
    near(useful / seconds / 1e9, p.usefulGflops());
    near(all / seconds / 1e9, p.effectiveGflops());
    near(r.dense().micros().median() / p.micros().median(), p.speedup());
    double performed = p.dense() ? all : useful;
    long activations = 4 * r.batch() * (r.in() + r.out());
    assertTrue(p.bytes() >= activations, p::toString);
    assertTrue(!p.dense() || p.bytes() == activations + 4 * r.out() * r.in(), p::toString);
    near(performed / p.bytes(), p.intensity());
    near(
        Math.min(roofline.peakGflops(), p.intensity() * roofline.bandwidthGBs()),
        p.ceilingGflops());
    near(p.achievedGflops() / roofline.peakGflops(), p.ofPeak());
    near(p.bytes() / seconds / 1e9 / roofline.bandwidthGBs(), p.ofBandwidth());
  }

  private static void near(double expected, double actual) {
    assertEquals(expected, actual, 1e-9 * Math.abs(expected));
  }

  @Test
  void formatsAskedForAloneAreMeasured() throws Exception {
    List<SparseFormat> formats = List.of(new SparseFormat.Rows(), new SparseFormat.NM(2, 4));
    List<WeightMatrix> matrices = List.of(matrix(8, 16, "random", 0.5));
    BenchResult result = run(matrices, List.of(3L), options(formats)).results().getFirst();
    assertEquals(List.of("dense", "csr"), result.products().stream().map(Product::format).toList());
  }

  @Test
  void aMatrixOfOneWeightIsMeasured() throws Exception {
    assertEquals(1, run(List.of(matrix(1, 1, "random", 0)), List.of(1L), OPTIONS).results().size());
  }

  @Test
  void aWrongProductIsNoTime() {
    // The tolerance below zero makes every result wrong.
    MatrixBench.Options strict =
        new MatrixBench.Options(new Stopwatch.Options(1, 0), -1, List.of(new SparseFormat.Rows()));
    String sentence =
        assertThrows(
                IllegalStateException.class,
                () -> run(List.of(matrix(4, 4, "random", 0.5)), List.of(2L), strict))
            .getMessage();
    assertTrue(sentence.contains("4 x 4, pattern random at sparsity 0.5000: format csr"), sentence);
  }

  @Test
  void stopsWhenAskedTo() {
    Progress stopped =
        new Progress() {
          @Override
          public boolean stopRequested() {
            return true;
          }
        };
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      Provenance provenance = Provenance.of(device, 1, Map.of(), Map.of());
      List<WeightMatrix> matrices = List.of(matrix(4, 4, "random", 0.5));
      Bench.Plan plan = new Bench.Plan("test", null, matrices, List.of(1L), OPTIONS, List.of());
      assertThrows(
          StoppedException.class, () -> Bench.run(device, plan, List.of(), provenance, stopped));
      assertEquals(0, device.liveBuffers());
    }
  }

  @Test
  void readsPatternFilesOfTheCollection() throws Exception {
    Path file = Files.createDirectories(folder.resolve("magnitude_pruning/0.6")).resolve("a.smtx");
    Files.writeString(file, "2, 5, 4\n0 1 4\n2 0 1 4\n");
    WeightMatrix matrix = MatrixSources.of(file, 1);
    assertEquals("a", matrix.name());
    assertEquals("magnitude", matrix.pattern());
    assertEquals(0.6, matrix.sparsity(), 1e-12);
    Tensor weight = matrix.weights().read();
    assertEquals(Shape.of(2, 5), weight.shape());
    for (int i = 0; i < 10; i++) {
      assertEquals(List.of(2, 5, 6, 9).contains(i), weight.getFloat(i) != 0, "weight " + i);
    }
    Path plain = Files.copy(file, folder.resolve("b.smtx"));
    assertEquals("smtx", MatrixSources.of(plain, 1).pattern());
  }

  @Test
  void suitesAreTheNetworksLayers() {
    long convolutions = 0;
    for (Layer l : Suite.RESNET50.layers()) {
      convolutions += l.out() * l.in() * l.columns();
    }
    assertTrue(convolutions > 1e9 && convolutions < 4e9, "multiply-adds " + convolutions);
    assertTrue(Suite.TRANSFORMER.layers().contains(Layer.of(2048, 512)));
    for (Suite suite : Suite.values()) {
      long names = suite.layers().stream().map(Layer::name).distinct().count();
      assertEquals(suite.layers().size(), names, suite + ": a name is there twice");
    }
  }

  @Test
  void refusesWhatNoMachineHolds() {
    assertThrows(IllegalArgumentException.class, () -> matrix(1L << 40, 1L << 40, "random", 0.5));
    assertThrows(IllegalArgumentException.class, () -> matrix(0, 8, "random", 0.5));
    assertThrows(IllegalArgumentException.class, () -> matrix(8, 8, "random", 1.5));
    assertThrows(IllegalArgumentException.class, () -> matrix(8, 8, "random", Double.NaN));
    WeightMatrix matrix = matrix(8, 8, "random", 0.5);
    for (long batch : new long[] {0, -1, Long.MAX_VALUE}) {
      assertThrows(IllegalArgumentException.class, () -> matrix.checkBatch(batch));
    }
  }
}
