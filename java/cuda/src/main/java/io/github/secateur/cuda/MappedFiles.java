package io.github.secateur.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Which file a library was really loaded from, as /proc/self/maps tells it. */
final class MappedFiles {
  private MappedFiles() {}

  /** Path of the file mapped into this process whose name starts so, else "unknown". */
  static String path(String name) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines
          .filter(line -> line.contains("/" + name))
          .map(line -> line.substring(line.indexOf('/')))
          .filter(path -> path.startsWith(name, path.lastIndexOf('/') + 1))
          .findFirst()
          .orElse("unknown");
    } catch (IOException e) {
      return "unknown"; // no Linux: only the display suffers
    }
  }
}
