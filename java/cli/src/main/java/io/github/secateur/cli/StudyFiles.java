package io.github.secateur.cli;

import io.github.secateur.io.AtomicFile;
import io.github.secateur.report.Baseline;
import io.github.secateur.report.Cell;
import io.github.secateur.report.JsonReport;
import io.github.secateur.report.Report;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Layout of a study's folder: {@code models/} for networks, {@code work/} for what a stopped study
 * goes on from. A part counts as done when its record in {@code work/} is there; that is written
 * last.
 */
final class StudyFiles {
  private final Path folder;

  private StudyFiles(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens a study's folder.
   *
   * @param identity of the plan; a study can go on only with its own
   * @param resume whether to go on; otherwise what an earlier study left is removed
   */
  static StudyFiles open(Path folder, String identity, boolean resume) throws IOException {
    StudyFiles files = new StudyFiles(folder);
    Path plan = folder.resolve("work/plan.txt");
    if (resume && Files.exists(plan)) {
      if (!Files.readString(plan).equals(identity)) {
        throw new UserException(
            folder
                + " holds a study with other options or data; give the options it was started with,"
                + " or leave out --resume to start anew.");
      }
      return files;
    }
    deleteTree(folder.resolve("work"));
    Files.createDirectories(folder.resolve("work"));
    Files.createDirectories(folder.resolve("models"));
    AtomicFile.write(plan, identity);
    return files;
  }

  /** ONNX file of a network. */
  Path model(String id) {
    return folder.resolve("models").resolve(id + ".onnx");
  }

  /** Checkpoint of a training run. */
  Path checkpoint(String id) {
    return folder.resolve("work").resolve(id + ".ckpt");
  }

  /** A file of the report. */
  Path report(String name) {
    return folder.resolve(name);
  }

  /** Whether a part is done. */
  boolean has(String id) {
    return Files.exists(record(id));
  }

  /** What was measured of a part: a report with nothing else in it. */
  Report read(String id) throws IOException {
    return JsonReport.read(record(id));
  }

  /** Keeps what was measured of the dense network; it is done now. */
  void write(Baseline dense) throws IOException {
    write("dense", dense, List.of());
  }

  /** Keeps what was measured of a cell; it is done now. */
  void write(String id, Cell cell) throws IOException {
    write(id, null, List.of(cell));
  }

  private void write(String id, Baseline dense, List<Cell> cells) throws IOException {
    Report part = new Report(id, null, null, null, dense, cells, null, null, null, null, null);
    JsonReport.write(part, record(id));
  }

  /** File name stem of a cell, such as {@code magnitude-90}. */
  static String cellId(String strategy, double sparsity) {
    return strategy + "-" + percent(sparsity);
  }

  /** A sparsity in percent without needless digits: {@code 90}, {@code 97.5}. */
  static String percent(double sparsity) {
    return BigDecimal.valueOf(sparsity).movePointRight(2).stripTrailingZeros().toPlainString();
  }

  private Path record(String id) {
    return folder.resolve("work").resolve(id + ".json");
  }

  private static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
