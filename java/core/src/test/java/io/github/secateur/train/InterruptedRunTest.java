package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link SampleRun} as a process of its own, that is killed or meets a full disk. */
class InterruptedRunTest {
  private static final int EPOCHS = 75;
  private static final int KILLS = 21;

  @TempDir Path folder;

  @Test
  void endsTheSameHoweverOftenItIsKilled() throws Exception {
    Path file = folder.resolve("run.checkpoint");
    Random random = new Random(20);
    int kills = 0;
    long resumedFrom = 0;
    while (kills < KILLS) {
      Process process = start(file, "2", "");
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        // A random step, and a random moment in or after it. The first is killed at its start.
        for (int left = kills == 0 ? 1 : random.nextInt(25); left > 0; left--) {
          assertEquals("step", lines.readLine());
        }
        LockSupport.parkNanos(random.nextInt(3_000_000));
        assertTrue(process.isAlive(), "it ended before it was killed");
        process.destroyForcibly(); // SIGKILL
        assertEquals(128 + 9, process.waitFor());
      }
      kills++;
      long step = Files.exists(file) ? Checkpoint.read(file).step() : 0;
      assertTrue(step >= resumedFrom, "the checkpoint went back");
      resumedFrom = step;
    }
    assertTrue(resumedFrom > 0 && resumedFrom < EPOCHS * (long) SampleRun.STEPS_PER_EPOCH);
    Process last = start(file, "2", "");
    List<String> lines = readAll(last);
    assertEquals(0, last.waitFor());
    assertTrue(lines.size() < EPOCHS * SampleRun.STEPS_PER_EPOCH, "it began anew");
    assertEquals(uninterruptedHash(), lines.getLast());
  }

  private static String uninterruptedHash() {
    try (Device device = Toy.device()) {
      TrainOptions options = SampleRun.options(Optimizer.Adam.defaults(), EPOCHS);
      return Checkpoint.weightsHash(SampleRun.trainer(device, options).run().model());
    }
  }

  /** A limit on the size of files stands in for the full disk: writes fail in the middle. */
  @Test
  void leavesTheLastCheckpointWhereTheDiskIsFull() throws Exception {
    Path file = folder.resolve("run.checkpoint");
    try (Device device = Toy.device()) {
      TrainOptions options = SampleRun.options(Optimizer.Adam.defaults(), EPOCHS);
      Trainer trainer =
          SampleRun.trainer(device, options)
              .checkpoint(new Checkpointing(file, 0, 0, 1))
              .progress(
                  new Progress() {
                    @Override
                    public boolean stopRequested() {
                      return true;
                    }
                  });
      try {
        trainer.run();
      } catch (StoppedException e) {
        // After one step, with a checkpoint.
      }
    }
    byte[] before = Files.readAllBytes(file);
    Process process = start(file, "5", "ulimit -f " + before.length / 2048 + "; ");
    List<String> lines = readAll(process);
    assertEquals(1, process.waitFor());
    assertTrue(lines.getLast().startsWith("cannot write " + file + ": "), lines.getLast());
    assertArrayEquals(before, Files.readAllBytes(file));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(file), left.toList());
    }
  }

  private static List<String> readAll(Process process) throws IOException {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      return lines.lines().toList();
    }
  }

  private static Process start(Path file, String everySteps, String before) throws IOException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-XX:+UseSerialGC"));
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("secateur."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.addAll(List.of("-cp", classPath, SampleRun.class.getName()));
    command.addAll(List.of(file.toString(), Integer.toString(EPOCHS), everySteps));
    List<String> shell = new ArrayList<>(List.of("bash", "-c", before + "exec \"$@\"", "bash"));
    shell.addAll(command);
    return new ProcessBuilder(shell).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }
}
