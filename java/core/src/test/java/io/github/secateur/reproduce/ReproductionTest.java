package io.github.secateur.reproduce;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Progress;
import io.github.secateur.train.Provenance;
import io.github.secateur.train.StoppedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReproductionTest {
  private static final String TABLE =
      """
      title: A toy
      source: nowhere
      rows:
        - name: dense
          model: mlp:6-12-3
          paper: {train: {epochs: 3}}
          budget: {train: {epochs: 2, batch: 20, lr: 0.01}, shortened: one epoch less}
          quick: {train: {epochs: 1}}
        - name: half
          from: dense
          published: 1.5
          expect: at most 100 above dense
          paper: {prune: {sparsity: 0.5}, fine-tune: {epochs: 3}}
          budget: {prune: {sparsity: 0.5}, fine-tune: {epochs: 2, batch: 20}}
          quick: {prune: {sparsity: 0.5}, fine-tune: {epochs: 1}}
      """;

  @TempDir Path folder;

  private static Samples samples(int count, long seed) {
    Random random = new Random(seed);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(count, 6));
    Tensor labels = Tensor.zeros(DType.I32, Shape.of(count));
    for (int i = 0; i < count; i++) {
      int label = random.nextInt(3);
      labels.data().setAtIndex(java.lang.foreign.ValueLayout.JAVA_INT, i, label);
      for (int f = 0; f < 6; f++) {
        x.setFloat(i * 6L + f, (float) (random.nextGaussian() + (f % 3 == label ? 2 : 0)));
      }
    }
    return new Samples(x, labels, 3, "hash" + seed, "toy");
  }

  private static DataSplit data() {
    return DataSplit.of(samples(200, 1)).withTest(samples(50, 2));
  }

  private List<Verdict> run(String table, int seeds, Progress progress) throws Exception {
    try (Device cpu = Devices.open("cpu", DeviceOptions.defaults())) {
      return new Reproduction(
              cpu,
              TableReader.parse(table, "toy", "toy.yaml"),
              new Reproduction.Plan(Protocol.Kind.BUDGET, seeds, folder),
              data(),
              progress)
          .run();
    }
  }

  private static List<Outcome> outcomes(List<Verdict> verdicts) {
    return verdicts.stream().flatMap(v -> v.outcomes().stream()).toList();
  }

  private List<FileTime> times() throws Exception {
    try (var files = Files.list(folder)) {
      return files
          .filter(f -> f.toString().endsWith(".json"))
          .sorted()
          .map(
              f -> {
                try {
                  return Files.getLastModifiedTime(f);
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              })
          .toList();
    }
  }

  @Test
  void rowsAreRunOnceJudgedAndReported() throws Exception {
    List<Verdict> first = run(TABLE, 2, Progress.NONE);
    assertEquals(List.of("dense", "half"), first.stream().map(v -> v.row().name()).toList());
    Verdict half = first.getLast();
    assertEquals(2, half.outcomes().size());
    assertEquals(0.5, half.outcomes().getFirst().sparsity(), 1e-9);
    assertEquals(2, half.outcomes().getFirst().epochs());
    assertTrue(half.passed());
    List<FileTime> before = times();
    assertEquals(outcomes(first), outcomes(run(TABLE, 2, Progress.NONE)));
    assertEquals(before, times(), "an outcome that is there is not made again");
    ReproductionReport report =
        new ReproductionReport(
            TableReader.parse(TABLE, "toy", "toy.yaml"),
            Protocol.Kind.BUDGET,
            first,
            new Provenance("v", "j", "o", "d", Map.of(), 1, Map.of(), Map.of(), "t"));
    assertTrue(report.passed());
    assertTrue(report.markdown().contains("one epoch less"), report.markdown());
    assertTrue(report.markdown().contains("sparsity: 0.5"), report.markdown());
    assertEquals(1.5, report.json().at("/rows/1/publishedErrorPercent").asDouble());
  }

  /** The network and its last error are those of a run that looks at the test samples once. */
  @Test
  void lookingAtTestSamplesAfterEachEpochChangesNothing() throws Exception {
    String longer = TABLE.replace("fine-tune: {epochs: 2,", "fine-tune: {epochs: 9,");
    Outcome last = run(longer, 1, Progress.NONE).getLast().outcomes().getFirst();
    byte[] network = Files.readAllBytes(folder.resolve("half-4-seed1.onnx"));
    String lowest =
        longer.replace(
            "expect: at most 100 above dense", "expect: at most 100\n    measure: lowest");
    Verdict verdict = run(lowest, 1, Progress.NONE).getLast();
    Outcome seen = verdict.outcomes().getFirst();
    assertEquals(last.errorPercent(), seen.errorPercent());
    assertArrayEquals(network, Files.readAllBytes(folder.resolve("half-4-seed1.onnx")));
    assertNull(last.lowestErrorPercent());
    assertTrue(seen.lowestErrorPercent() <= seen.errorPercent());
    ReproductionReport report =
        new ReproductionReport(
            TableReader.parse(lowest, "toy", "toy.yaml"),
            Protocol.Kind.BUDGET,
            List.of(verdict),
            new Provenance("v", "j", "o", "d", Map.of(), 1, Map.of(), Map.of(), "t"));
    assertTrue(report.markdown().contains("| lowest at most 100.0 % | pass |"), report.markdown());
    assertEquals(
        seen.lowestErrorPercent(), report.json().at("/rows/0/lowestMeanErrorPercent").asDouble());
  }

  @Test
  void aChangedProtocolIsRunAnew() throws Exception {
    Outcome first = run(TABLE, 1, Progress.NONE).getFirst().outcomes().getFirst();
    String other = TABLE.replace("{epochs: 2, batch: 20, lr: 0.01}", "{epochs: 1, batch: 20}");
    Outcome second = run(other, 1, Progress.NONE).getFirst().outcomes().getFirst();
    assertNotEquals(first.epochs(), second.epochs());
  }

  /** Asks to stop at its n-th update. */
  private static final class Stopping implements Progress {
    private final AtomicInteger left;

    Stopping(int updates) {
      left = new AtomicInteger(updates);
    }

    @Override
    public boolean stopRequested() {
      return left.getAndDecrement() <= 0;
    }
  }

  @Test
  void aStoppedRunGoesOnAndComesToTheSame() throws Exception {
    assertThrows(StoppedException.class, () -> run(TABLE, 1, new Stopping(25)));
    assertFalse(times().isEmpty(), "the first row was done");
    assertThrows(StoppedException.class, () -> run(TABLE, 1, new Stopping(3)));
    List<Verdict> resumed = run(TABLE, 1, Progress.NONE);
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    List<Verdict> straight = run(TABLE, 1, Progress.NONE);
    for (int i = 0; i < straight.size(); i++) {
      assertEquals(
          straight.get(i).mean(Table.Measure.LAST), resumed.get(i).mean(Table.Measure.LAST));
    }
  }
}
