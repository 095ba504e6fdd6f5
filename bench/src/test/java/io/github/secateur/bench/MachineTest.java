package io.github.secateur.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
  @Test
  void namesFilesAfterProcessors() {
    assertEquals("amd-epyc", Machine.fileName("AMD EPYC"));
    assertEquals(
        "intel-xeon-platinum-8375c",
        Machine.fileName("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz"));
    assertEquals(
        "amd-ryzen-9-7950x-16-core", Machine.fileName("AMD Ryzen 9 7950X 16-Core Processor"));
    assertEquals("unknown", Machine.fileName("(R)"));
  }

  @Test
  void findsFields() {
    String text = "processor\t: 0\nmodel name\t: AMD  EPYC\nmodel name\t: other\n";
    assertEquals("AMD EPYC", Machine.field(text, "model name"));
    assertEquals("unknown", Machine.field(text, "flags"));
  }

  @Test
  void listsCaches(@TempDir Path folder) throws IOException {
    assertEquals("unknown", Machine.caches(folder));
    cache(folder.resolve("index0"), "1", "Data", "32K");
    cache(folder.resolve("index1"), "2", "Unified", "1024K");
    assertEquals("L1 Data 32K, L2 Unified 1024K", Machine.caches(folder));
  }

  private static void cache(Path folder, String level, String type, String size)
      throws IOException {
    Files.createDirectory(folder);
    Files.writeString(folder.resolve("level"), level + "\n");
    Files.writeString(folder.resolve("type"), type + "\n");
    Files.writeString(folder.resolve("size"), size + "\n");
  }
}
