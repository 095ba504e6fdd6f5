package io.github.secateur.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.secateur.report.JsonReport;
import java.nio.file.Files;
import java.nio.file.Path;

/** What commands share when they write results. */
final class Outputs {
  private Outputs() {}

  /** Refuses an output that could not be written, before hours of work and not after. */
  static void requireWritable(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new UserException(file + " is a folder; name a file in it.");
    }
    if (!Files.isDirectory(folder)) {
      throw new UserException(
          "cannot write %s: folder %s does not exist; create it first.".formatted(file, folder));
    }
    if (!Files.isWritable(folder)) {
      throw new UserException(
          "cannot write %s: folder %s is not writable by this user.".formatted(file, folder));
    }
  }

  /** The path with its ending replaced. */
  static Path sibling(Path file, String ending) {
    return file.resolveSibling(ModelFiles.title(file) + ending);
  }

  /** A record as JSON. */
  static JsonNode json(Object value) {
    return JsonReport.tree(value);
  }

  /** Bytes for people: {@code 1.04 MB}. */
  static String bytes(long bytes) {
    if (bytes < 1000) {
      return bytes + " B";
    }
    double value = bytes;
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return String.format(java.util.Locale.ROOT, "%.2f %s", value, units[unit]);
  }
}
