package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.Safetensors;
import io.github.secateur.io.SafetensorsWriter;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a user strings them together, on a small data set. */
class CommandsTest {
  @TempDir static Path folder;
  private static String data;
  private static String dense;

  @BeforeAll
  static void train() throws Exception {
    data = Blobs.write(folder.resolve("blobs"), 1000, 300).toString();
    dense = folder.resolve("dense.onnx").toString();
    Console console =
        Console.run("train", "--model", "simple-net", "--data", data, "--epochs", "3", "-o", dense);
    assertEquals(0, console.code(), console.err());
    assertTrue(console.out().contains("error"), console.out());
    assertFalse(Files.exists(folder.resolve("dense.ckpt")), "the checkpoint is removed at the end");
  }

  private static JsonNode json(String... arguments) throws Exception {
    Console console = Console.run(arguments);
    assertEquals(0, console.code(), console.err());
    return new ObjectMapper().readTree(console.out());
  }

  @Test
  void prunesWithoutData() throws Exception {
    Path out = folder.resolve("half.onnx");
    JsonNode result = json("prune", dense, "--sparsity", "0.5", "-o", out.toString(), "--json");
    assertEquals(0.5, result.get("reached").asDouble(), 1e-4);
    JsonNode seen = json("inspect", out.toString(), "--json");
    long zeros = 0;
    for (JsonNode layer : seen.get("prunable")) {
      zeros += layer.get("zeros").asLong();
    }
    assertEquals(Math.round((784 * 64 + 64 * 32 + 32 * 10) * 0.5), zeros);
  }

  @Test
  void prunesAndFineTunes() throws Exception {
    Path out = folder.resolve("tuned.onnx");
    JsonNode result =
        json(
            "prune",
            dense,
            "-s",
            "0.9",
            "--data",
            data,
            "--epochs",
            "2",
            "-o",
            out.toString(),
            "--json",
            "-q");
    assertEquals(0.9, result.get("reached").asDouble(), 1e-4);
    assertTrue(result.at("/after/accuracy").asDouble() > 0.8, result::toPrettyString);
    JsonNode both = json("eval", out.toString(), "--data", data, "--with", "onnxruntime", "--json");
    assertTrue(both.get("largestDifference").asDouble() < 1e-5, both::toPrettyString);
    JsonNode speed = json("bench", out.toString(), "--batch", "1,32", "--repeats", "3", "--json");
    assertEquals(2, speed.get("batches").size());
  }

  @Test
  void shrinksNeurons() throws Exception {
    Path out = folder.resolve("small.onnx");
    json(
        "prune",
        dense,
        "-s",
        "0.5",
        "--criterion",
        "activation",
        "--data",
        data,
        "--epochs",
        "1",
        "--shrink",
        "-o",
        out.toString(),
        "--json",
        "-q");
    assertTrue(Files.size(out) < 0.7 * Files.size(Path.of(dense)));
    JsonNode both = json("eval", out.toString(), "--data", data, "--with", "onnxruntime", "--json");
    assertTrue(both.get("largestDifference").asDouble() < 1e-5, both::toPrettyString);
  }

  @Test
  void exportsWeightsAndTakesThemBack() throws Exception {
    Path weights = folder.resolve("w.safetensors");
    Path back = folder.resolve("back.onnx");
    assertEquals(0, Console.run("export", dense, "-o", weights.toString()).code());
    Console console =
        Console.run("export", dense, "--weights", weights.toString(), "-o", back.toString());
    assertEquals(0, console.code(), console.err());
    assertEquals(
        json("eval", dense, "--data", data, "--json").get("secateur"),
        json("eval", back.toString(), "--data", data, "--json").get("secateur"));
  }

  @Test
  void takesScoresAndMasksMadeElsewhere() throws Exception {
    Map<String, Tensor> scores = new HashMap<>();
    Map<String, Tensor> masks = new HashMap<>();
    for (Prunable p : Prunables.find(OnnxReader.read(Path.of(dense)))) {
      Tensor rising = Tensor.zeros(DType.F32, p.shape());
      Tensor second = Tensor.zeros(DType.BOOL, p.shape());
      for (long i = 0; i < p.size(); i++) {
        rising.setFloat(i, i);
        second.data().set(ValueLayout.JAVA_BYTE, i, (byte) (i % 2));
      }
      scores.put(p.parameter(), rising);
      masks.put(p.parameter(), second);
    }
    Path scoreFile = folder.resolve("scores.safetensors");
    Path maskFile = folder.resolve("masks.safetensors");
    SafetensorsWriter.write(new Safetensors(scores, Map.of()), scoreFile);
    SafetensorsWriter.write(new Safetensors(masks, Map.of()), maskFile);
    Path out = folder.resolve("given.onnx");

    json(
        "prune",
        dense,
        "-s",
        "0.25",
        "--scores",
        scoreFile.toString(),
        "--allocation",
        "per-layer",
        "-o",
        out.toString(),
        "--json");
    Tensor fc1 = OnnxReader.read(out).graph().initializer("fc1.weight");
    assertEquals(0, fc1.getFloat(fc1.size() / 4 - 1));
    assertNotEquals(0, fc1.getFloat(fc1.size() / 4));

    json(
        "prune",
        dense,
        "--masks",
        maskFile.toString(),
        "--data",
        data,
        "--epochs",
        "1",
        "-o",
        out.toString(),
        "--json",
        "-q");
    fc1 = OnnxReader.read(out).graph().initializer("fc1.weight");
    for (long i = 0; i < fc1.size(); i++) {
      assertEquals(i % 2 == 0, fc1.getFloat(i) == 0, "weight " + i);
    }
  }

  @Test
  void listsDevices() throws Exception {
    JsonNode devices = json("devices", "--json");
    assertEquals("cpu", devices.get(devices.size() - 1).get("device").asText());
    assertEquals("yes", devices.get(devices.size() - 1).get("usable").asText());
  }

  @Test
  void helpTeachesByExample() {
    for (String command :
        new String[] {"demo", "train", "prune", "eval", "bench", "export", "inspect", "devices"}) {
      Console console = Console.run(command, "--help");
      assertEquals(0, console.code());
      assertTrue(console.out().contains("secateur " + command), command);
      assertTrue(console.out().contains("Example"), command);
    }
  }
}
