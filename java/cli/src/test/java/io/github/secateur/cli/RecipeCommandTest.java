package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recipes on the command line: what they say, what flags say over them, what they leave behind. */
class RecipeCommandTest {
  @TempDir static Path folder;
  private static String data;

  @BeforeAll
  static void write() throws Exception {
    data = Blobs.write(folder.resolve("blobs"), 300, 100).toString();
  }

  private static Path recipe(String name, String text) throws Exception {
    return Files.writeString(folder.resolve(name), text.replace("DATA", data));
  }

  private static Console run(String... arguments) {
    Console console = Console.run(arguments);
    assertEquals(0, console.code(), console.err());
    return console;
  }

  @Test
  void aNetworkRepeatsFromTheRecipeThatItCarries() throws Exception {
    Path first = folder.resolve("first.onnx");
    Path whole =
        recipe(
            "whole.yaml",
            """
            model: simple-net
            data: 'DATA'
            seed: 3
            train: {epochs: 1}
            prune:
              criterion: taylor
              calibration: 100
              allocation: erk
              schedule: linear
              every: 2
              sparsity: 0.8
            fine-tune: {epochs: 2, batch: 50}
            """);
    run("prune", "--recipe", whole.toString(), "-q", "-o", first.toString());
    String carried = run("inspect", first.toString(), "--recipe").out();
    assertTrue(carried.contains("power") || carried.contains("schedule: linear"), carried);
    Path again = folder.resolve("again.onnx");
    Path copy = Files.writeString(folder.resolve("carried.yaml"), carried);
    run("prune", "--recipe", copy.toString(), "-q", "-o", again.toString());
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(again));
    try (var files = Files.list(folder)) {
      assertTrue(files.noneMatch(f -> f.toString().endsWith(".ckpt")), "no checkpoint is left");
    }
  }

  @Test
  void flagsCountMoreThanTheRecipe() throws Exception {
    Path file = recipe("half.yaml", "model: simple-net\nprune: {sparsity: 0.5}\n");
    Path out = folder.resolve("flag.onnx");
    run("prune", "--recipe", file.toString(), "-s", "0.9", "-o", out.toString());
    String carried = run("inspect", out.toString(), "--recipe").out();
    assertTrue(carried.contains("sparsity: 0.9"), carried);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prune: {sparsity: 0.5}|name the network to prune",
        "model: simple-net\\nprune:\\n  sparsity: 2|line 3: 'sparsity': sparsity must be between",
        "model: simple-net\\nprune:\\n  spasity: 0.5|line 3: 'spasity' is no setting; did you mean",
        "model: simple-net\\nprune: {sparsity: 0.5, exclude: fc7}|there is no prunable layer 'fc7'",
        "model: simple-net\\nprune: {sparsity: 0.5}\\nfine-tune: {epochs: 3}|needs data",
        "model: simple-net\\nprune: {budget: flops=0.5}|needs data",
        "model: no-net\\nprune: {sparsity: 0.5}|there is no network 'no-net'"
      })
  void mistakesAreOneSentence(String text, String wanted) throws Exception {
    Path file = recipe("bad.yaml", text.replace("\\n", "\n"));
    Path out = folder.resolve("bad.onnx");
    Console console = Console.run("prune", "--recipe", file.toString(), "-o", out.toString());
    assertEquals(1, console.code(), console.err());
    assertTrue(console.complaint().contains(wanted), console.err());
    assertEquals(1, console.complaint().lines().count(), console.err());
    assertFalse(Files.exists(out));
  }

  @Test
  void aFileWithoutARecipeSaysSo() {
    Path out = folder.resolve("dense.onnx");
    run(
        "train",
        "--model",
        "simple-net",
        "--data",
        data,
        "--epochs",
        "1",
        "-q",
        "-o",
        out.toString());
    Console console = Console.run("inspect", out.toString(), "--recipe");
    assertEquals(1, console.code());
    assertTrue(console.complaint().contains("holds no recipe"), console.err());
  }
}
