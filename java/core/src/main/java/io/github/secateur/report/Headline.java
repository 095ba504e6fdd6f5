package io.github.secateur.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The result in one sentence and a few key figures. It speaks of one cell: the sparsest whose test
 * error is at most 0.2 points above the dense network's, the lower error counting among equals;
 * where there is none, the one nearest to the dense network.
 */
final class Headline {
  private static final double TOLERATED_POINTS = 0.2;

  /**
   * A key figure.
   *
   * @param value number with its unit
   * @param label what it is
   * @param detail under which conditions; may be empty
   */
  record Tile(String value, String label, String detail) {}

  private final Report report;
  private final Cell cell;

  Headline(Report report) {
    this.report = report;
    this.cell = choose(report);
  }

  /** The cell that the headline speaks of, or null where no cell was compared. */
  Cell cell() {
    return cell;
  }

  private static Cell choose(Report report) {
    List<Cell> compared =
        report.cells().stream()
            .filter(c -> c.error() == null && c.test() != null && c.deltaPoints() != null)
            .toList();
    Optional<Cell> good =
        compared.stream()
            .filter(c -> c.deltaPoints() <= TOLERATED_POINTS)
            .max(
                Comparator.comparingDouble(Cell::requested)
                    .thenComparing(Comparator.comparingDouble(Cell::deltaPoints).reversed()));
    return good.orElseGet(
        () -> compared.stream().min(Comparator.comparingDouble(Cell::deltaPoints)).orElse(null));
  }

  /** One sentence, or two. */
  String sentence() {
    String model = report.model() == null ? "the network" : report.model().name();
    if (cell == null) {
      return report.dense() != null && report.dense().test() != null
          ? "%s reaches %s test error on %s samples."
              .formatted(
                  model,
                  error(report.dense().test().errorPercent()),
                  Numbers.count(report.dense().test().samples()))
          : "No pruned network was compared with a dense one.";
    }
    double delta = cell.deltaPoints();
    String versus =
        Math.abs(delta) < 0.005
            ? "the same as the dense network"
            : "%s points %s the dense network"
                .formatted(Numbers.format("%.2f", Math.abs(delta)), delta > 0 ? "above" : "below");
    StringBuilder text = new StringBuilder();
    text.append(
        "With %s of its weights removed (%s), %s reaches %s test error, %s (%s)."
            .formatted(
                Numbers.percent(cell.requested()),
                cell.strategy(),
                model,
                error(cell.test().errorPercent()),
                versus,
                error(cell.test().errorPercent() - delta)));
    LatencyRow latency = latency();
    Double speedup = speedup(latency);
    if (speedup != null) {
      text.append(
          " A forward pass of %s takes %s µs instead of %s µs."
              .formatted(
                  latency.batch() == 1 ? "one sample" : Numbers.count(latency.batch()) + " samples",
                  Numbers.micros(pruned(latency)),
                  Numbers.micros(latency.dense().median())));
    }
    return text.toString();
  }

  /** Key figures; those that were not measured are left out. */
  List<Tile> tiles() {
    List<Tile> tiles = new ArrayList<>();
    if (report.dense() != null && report.dense().test() != null) {
      tiles.add(
          new Tile(
              error(report.dense().test().errorPercent()),
              "dense test error",
              Numbers.count(report.dense().test().samples()) + " test samples"));
    }
    if (cell != null) {
      String where = cell.strategy() + " at " + Numbers.percent(cell.requested());
      tiles.add(
          new Tile(
              error(cell.test().errorPercent()),
              "pruned test error",
              "%s points, %s".formatted(Numbers.format("%+.2f", cell.deltaPoints()), where)));
      addWeights(tiles);
      addSize(tiles);
      addSpeed(tiles);
    } else if (report.model() != null) {
      tiles.add(
          new Tile(
              Numbers.count(report.model().parameters()),
              "parameters",
              Numbers.count(report.model().prunableWeights()) + " prunable weights"));
    }
    return tiles;
  }

  private void addWeights(List<Tile> tiles) {
    if (cell.mask() != null) {
      tiles.add(
          new Tile(
              Numbers.count(cell.mask().kept()),
              "weights kept",
              "of " + Numbers.count(cell.mask().kept() + cell.mask().pruned()) + " prunable"));
    }
  }

  private void addSize(List<Tile> tiles) {
    FileSizes files = cell.files();
    FileSizes dense = report.dense() == null ? null : report.dense().files();
    if (files != null && files.gzipped() != null && dense != null && dense.gzipped() != null) {
      tiles.add(
          new Tile(
              Numbers.bytes(files.gzipped()),
              "ONNX file, gzipped",
              "dense: " + Numbers.bytes(dense.gzipped()) + " gzipped"));
    }
  }

  private void addSpeed(List<Tile> tiles) {
    LatencyRow latency = latency();
    Double speedup = speedup(latency);
    if (speedup != null) {
      tiles.add(
          new Tile(
              Numbers.format("%.2f×", speedup),
              "speed against dense",
              "batch %d, %d %s"
                  .formatted(
                      latency.batch(),
                      latency.threads(),
                      latency.threads() == 1 ? "thread" : "threads")));
    }
  }

  /** The row of the headline's cell with the largest batch. */
  private LatencyRow latency() {
    return report.latencies().stream()
        .filter(l -> l.model().equals(cell.strategy()))
        .filter(l -> l.sparsity() != null && l.sparsity() == cell.requested())
        .max(Comparator.comparingLong(LatencyRow::batch))
        .orElse(null);
  }

  private static Double speedup(LatencyRow latency) {
    if (latency == null) {
      return null;
    }
    return latency.sparse() == null ? latency.shrunkSpeedup() : latency.sparseSpeedup();
  }

  private static double pruned(LatencyRow latency) {
    return latency.sparse() == null ? latency.shrunk().median() : latency.sparse().median();
  }

  private static String error(double percent) {
    return Numbers.format("%.2f %%", percent);
  }
}
