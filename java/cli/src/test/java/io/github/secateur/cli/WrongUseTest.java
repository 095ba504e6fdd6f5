package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Wrong uses: one sentence naming what and the cure, an exit code, nothing half-written. */
class WrongUseTest {
  @TempDir static Path folder;
  private static String data;
  private static String dense;

  @BeforeAll
  static void train() throws Exception {
    data = Blobs.write(folder.resolve("blobs"), 300, 100).toString();
    dense = folder.resolve("dense.onnx").toString();
    assertEquals(
        0,
        Console.run("train", "--model", "simple-net", "--data", data, "--epochs", "1", "-o", dense)
            .code());
  }

  /** One sentence, exit code 1 or 2, no output file, no temporary file. */
  private static void refused(String fragment, String... arguments) throws Exception {
    Path out = folder.resolve("refused.onnx");
    Console console =
        Console.run(
            Arrays.stream(arguments)
                .map(a -> a.equals("OUT") ? out.toString() : a)
                .toArray(String[]::new));
    assertTrue(console.code() == 1 || console.code() == 2, "code " + console.code());
    assertTrue(console.complaint().contains(fragment), console.err());
    assertEquals(1, console.complaint().lines().count(), console.err());
    assertFalse(console.err().contains("\tat "), console.err());
    assertFalse(Files.exists(out));
    try (var files = Files.list(folder)) {
      assertTrue(files.noneMatch(f -> f.toString().endsWith(".tmp")));
    }
  }

  @Test
  void missingFiles() throws Exception {
    refused("does not exist", "prune", "no.onnx", "-s", "0.5", "-o", "OUT");
    refused("does not exist", "train", "--data", folder + "/nowhere", "-o", "OUT");
    refused("does not exist", "prune", dense, "-s", "0.5", "-o", folder + "/no/such/out.onnx");
  }

  @Test
  void aLearningRateThatDiverges() throws Exception {
    refused(
        "train with a lower learning rate",
        ("train --model mlp:784-32-32-10:leaky-relu --optimizer sgd --lr 1e6 --batch 20 --epochs 9"
                + " -o OUT --data "
                + data)
            .split(" "));
  }

  @Test
  void absurdOptions() throws Exception {
    refused("between 0 and 1", "prune", dense, "-s", "1.5", "-o", "OUT");
    refused("between 0 and 1", "prune", dense, "-s", "NaN", "-o", "OUT");
    refused("how much to prune", "prune", dense, "-o", "OUT");
    refused("--data", "prune", dense, "-s", "0.5", "--criterion", "l1", "-o", "OUT");
    refused("epochs", "train", "--data", data, "--epochs", "0", "-o", "OUT");
    refused("--lr-schedule", "train", "--data", data, "--lr-schedule", "warp", "-o", "OUT");
    refused("threads", "train", "--data", data, "--threads", "-3", "-o", "OUT");
    refused("no device 'tpu'", "train", "--data", data, "--device", "tpu", "-o", "OUT");
    refused("Unknown option", "train", "--nonsense", "-o", "OUT");
    refused("mlp:", "train", "--model", "mlp:784", "--data", data, "-o", "OUT");
  }

  @Test
  void unknownLayerInRatios() throws Exception {
    refused(
        "fc9",
        "prune",
        dense,
        "--allocation",
        "fc9=0.5",
        "--data",
        data,
        "--epochs",
        "1",
        "-q",
        "-o",
        "OUT");
    refused("fc9", "prune", dense, "--allocation", "fc9=0.5", "-o", "OUT");
    refused("--allocation", "prune", dense, "--allocation", "fc1:0.5", "-s", "0.5", "-o", "OUT");
  }

  @Test
  void damagedFiles() throws Exception {
    byte[] whole = Files.readAllBytes(Path.of(dense));
    Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length / 2));
    refused("cut.onnx", "prune", cut.toString(), "-s", "0.5", "-o", "OUT");
    Path text = Files.writeString(folder.resolve("text.onnx"), "this is no model");
    refused("text.onnx", "inspect", text.toString());
    Path bad = folder.resolve("bad-data");
    Blobs.write(bad, 20, 10);
    Files.write(bad.resolve("train-images-idx3-ubyte.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0, 0});
    Files.delete(bad.resolve("train-images-idx3-ubyte"));
    refused("train-images-idx3-ubyte.gz", "train", "--data", bad.toString(), "-o", "OUT");
  }

  @Test
  void wrongShapes() throws Exception {
    refused(
        "784", "train", "--model", "mlp:20-10", "--data", data, "--epochs", "1", "-q", "-o", "OUT");
  }

  @Test
  void fullDisk() throws Exception {
    Path full = Path.of("/dev/full");
    if (Files.exists(full)) {
      Console console = Console.run("prune", dense, "-s", "0.5", "-o", "/dev/full");
      assertEquals(1, console.code());
      assertTrue(console.complaint().contains("the disk is full"), console.err());
    }
  }
}
