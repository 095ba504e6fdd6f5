package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo, killed at random moments and resumed, ends with the same networks, byte for byte. */
class DemoResumeTest {
  private static final int KILLS = 8;

  @TempDir Path folder;

  private List<String> command(Path out, boolean resume) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "demo",
                "--model",
                "mlp:784-32-10",
                "--data",
                folder.resolve("blobs").toString(),
                "--epochs",
                "4",
                "--fine-tune",
                "4",
                "--sparsity",
                "0.5,0.9",
                "--threads",
                "1",
                "--out",
                out.toString()));
    if (resume) {
      command.add("--resume");
    }
    return command;
  }

  private Process start(Path out, boolean resume) throws Exception {
    return new ProcessBuilder(command(out, resume))
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log.txt").toFile())
        .start();
  }

  @Test
  void survivesKills() throws Exception {
    Blobs.write(folder.resolve("blobs"), 3000, 300);
    Path whole = folder.resolve("whole");
    long began = System.nanoTime();
    assertEquals(0, start(whole, false).waitFor(), () -> read(folder.resolve("log.txt")));
    long millis = (System.nanoTime() - began) / 1_000_000;

    Path killed = folder.resolve("killed");
    Random random = new Random(3);
    int kills = 0;
    int code = -1;
    while (code != 0) {
      Process process = start(killed, true);
      boolean last = kills >= KILLS;
      // The first kill is early: with times kept by the run above, this one may take far less.
      long latest = kills == 0 ? 600 : Math.max(600, millis);
      if (last || process.waitFor(random.nextLong(200, latest), TimeUnit.MILLISECONDS)) {
        code = process.waitFor();
        assertEquals(0, code, () -> read(folder.resolve("log.txt")));
      } else {
        process.destroyForcibly().waitFor();
        kills++;
      }
    }
    assertTrue(kills > 0, "no run was killed");
    try (var models = Files.list(whole.resolve("models"))) {
      for (Path model : models.toList()) {
        assertArrayEquals(
            Files.readAllBytes(model),
            Files.readAllBytes(killed.resolve("models").resolve(model.getFileName())),
            model.toString());
      }
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.io.IOException e) {
      return e.toString();
    }
  }
}
