package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code secateur bench} at tiny sizes: every source, every output, every wrong use. */
class BenchCommandTest {
  @TempDir static Path folder;
  private static String dense;
  private static String pruned;
  private static String smtx;

  @BeforeAll
  static void prepare() throws Exception {
    dense = folder.resolve("dense.onnx").toString();
    pruned = folder.resolve("pruned.onnx").toString();
    OnnxWriter.write(Networks.parse("mlp:12-20-8", 1), Path.of(dense));
    assertEquals(0, Console.run("prune", dense, "-s", "0.75", "-o", pruned).code());
    Path collection = Files.createDirectories(folder.resolve("dlmc/random_pruning/0.5"));
    smtx = folder.resolve("dlmc").toString();
    Files.writeString(collection.resolve("layer.smtx"), "2, 4, 4\n0 2 4\n1 3 0 1\n");
    Path sparser = Files.createDirectories(collection.resolveSibling("0.75"));
    Files.writeString(sparser.resolve("layer.smtx"), "2, 4, 2\n0 1 2\n1 0\n");
  }

  private static Console bench(String... arguments) {
    List<String> line = new ArrayList<>(List.of("bench", "--repeats", "1"));
    line.addAll(Arrays.asList(arguments));
    Console console = Console.run(line.toArray(String[]::new));
    assertEquals(0, console.code(), console.err());
    return console;
  }

  private static JsonNode json(String... arguments) throws Exception {
    List<String> line = new ArrayList<>(Arrays.asList(arguments));
    line.add("--json");
    return new ObjectMapper().readTree(bench(line.toArray(String[]::new)).out());
  }

  @Test
  void shapesBySparsitiesByPatternsByBatches() throws Exception {
    JsonNode found =
        json(
            "--shape",
            "8x16,4x4",
            "--sparsity",
            "0.5,0.75",
            "--pattern",
            "random,4x1,2:4",
            "--batch",
            "1,3");
    assertEquals(2 * (2 + 2 + 1) * 2, found.get("results").size());
    assertEquals(2 * 3 * 2, found.get("breakEvens").size());
    for (JsonNode r : found.get("results")) {
      long size = r.get("out").asLong() * r.get("in").asLong();
      assertEquals(r.get("sparsity").asDouble() * size, size - r.get("nonzeros").asLong());
    }
  }

  @Test
  void printsTablesVerdictsAndFiles() throws Exception {
    Path html = folder.resolve("b.html");
    Path file = folder.resolve("b.json");
    Console console =
        bench(
            "--shape",
            "32x16",
            "--sparsity",
            "0.25,0.9",
            "--batch",
            "2",
            "--html",
            html.toString(),
            "--json-file",
            file.toString());
    assertTrue(console.out().contains("32 x 16 at batch 2: sparse "), console.out());
    assertTrue(console.out().contains("measured peak: "), console.out());
    assertTrue(console.out().contains("wrote " + html), console.out());
    assertTrue(Files.readString(html).contains("32 x 16 at batch 2: sparse "));
    assertEquals(2, new ObjectMapper().readTree(file.toFile()).get("results").size());
    assertTrue(console.err().contains("measuring"), console.err());
  }

  @Test
  void helpIsWhole() {
    Console console = Console.run("bench", "--help");
    assertEquals("", console.err());
    assertFalse(console.out().contains("%%"), console.out());
    assertTrue(console.out().contains("--shape") && console.out().contains("MODEL"));
  }

  @Test
  void everyFormatWhenAskedFor() {
    String[] line = {"--shape", "32x16", "--sparsity", "0.5", "--batch", "2", "--all"};
    Console console = bench(line);
    assertTrue(
        console.out().lines().anyMatch(l -> l.matches("32 x 16 .* dense .*")), console.out());
    assertTrue(console.out().lines().anyMatch(l -> l.matches("32 x 16 .* csr .*")), console.out());
  }

  @Test
  void aModelWithItsZeros() throws Exception {
    JsonNode found = json(pruned, "--batch", "1,5", "--no-tune-cache", "--quick");
    assertEquals(pruned, found.get("model").asText());
    assertEquals(2, found.get("batches").size());
    for (JsonNode batch : found.get("batches")) {
      assertTrue(batch.hasNonNull("verdict") && batch.at("/denseMicros/median").asDouble() > 0);
      assertFalse(batch.get("layers").isEmpty());
    }
    assertTrue(found.get("results").size() > 0);
    found.get("results").forEach(r -> assertEquals("pruned", r.get("pattern").asText()));
    String text = bench(pruned, "--batch", "4", "--retune").out();
    assertTrue(text.contains("fc1") && text.contains("batch 4: "), text);
  }

  @Test
  void aModelsShapesWithOtherZeros() throws Exception {
    JsonNode found = json(dense, "--sparsity", "0.5", "--pattern", "skewed", "--batch", "2");
    assertEquals(2, found.get("results").size());
    assertEquals("fc1", found.at("/results/0/matrix").asText());
    assertEquals(20, found.at("/results/0/out").asInt());
    assertEquals(12, found.at("/results/0/in").asInt());
    assertEquals(0, found.get("batches").size());
  }

  @Test
  void aDenseModelHasNothingToGain() {
    String text = bench(dense, "--batch", "2", "--no-tune-cache").out();
    assertTrue(text.contains("no layer has zeros enough"), text);
    assertTrue(text.contains("--sparsity"), text);
  }

  @Test
  void aModelThatCannotBeRunHasLayersAllTheSame() throws Exception {
    Model model = OnnxReader.read(Path.of(pruned));
    Node own = Node.of("own", new OpId("elsewhere", "Own"), List.of("a"), List.of("b"), Map.of());
    model.graph().nodes().add(own);
    model.opsets().put("elsewhere", 1L);
    Path file = folder.resolve("own.onnx");
    OnnxWriter.write(model, file);
    JsonNode found = json(file.toString(), "--batch", "2");
    assertEquals(0, found.get("batches").size());
    assertTrue(found.get("results").size() > 0);
    assertTrue(found.at("/notes/0").asText().contains("Own"), found::toPrettyString);
  }

  @Test
  void patternsOfTheCollection() throws Exception {
    JsonNode found = json("--smtx", smtx, "--batch", "3");
    assertEquals(2, found.get("results").size());
    assertEquals(1, found.get("breakEvens").size());
    assertEquals("layer", found.at("/results/0/matrix").asText());
    assertEquals("random", found.at("/results/0/pattern").asText());
    assertEquals(0.75, found.at("/results/1/sparsity").asDouble());
  }

  /** One sentence, exit code 1 or 2, and no file. */
  private static void refused(String fragment, String... arguments) throws Exception {
    Path html = folder.resolve("refused.html");
    Path file = folder.resolve("refused.json");
    List<String> line = new ArrayList<>(List.of("bench"));
    line.addAll(Arrays.asList(arguments));
    line.addAll(List.of("--html", html.toString(), "--json-file", file.toString()));
    Console console = Console.run(line.toArray(String[]::new));
    assertTrue(console.code() == 1 || console.code() == 2, "code " + console.code());
    assertTrue(console.complaint().contains(fragment), console.err());
    assertEquals(1, console.complaint().lines().count(), console.err());
    assertFalse(console.err().contains("\tat "), console.err());
    assertFalse(Files.exists(html) || Files.exists(file));
  }

  @Test
  void refusesWrongUses() throws Exception {
    refused("name a MODEL, --shape");
    refused("exclude each other", pruned, "--shape", "8x8");
    refused("exclude each other", "--suite", "resnet50", "--smtx", smtx);
    refused("does not exist", "nowhere.onnx");
    refused("is no shape", "--shape", "8");
    refused("is no shape", "--shape", "8x-8");
    refused("is no shape", "--shape", "8x8x8");
    refused("weights; a matrix has", "--shape", "0x8");
    refused("weights; a matrix has", "--shape", "999999999x999999999");
    refused("between 0 and 1", "--shape", "8x8", "--sparsity", "1.5");
    refused("between 0 and 1", "--shape", "8x8", "--sparsity", "NaN");
    refused("--sparsity", "--shape", "8x8", "--sparsity", "much");
    refused("1 or more", "--shape", "8x8", "--batch", "0");
    refused("activations", "--shape", "8x8", "--batch", "9000000000000000000");
    refused("1 or more", "--shape", "8x8", "--repeats", "0");
    refused("is no pattern", "--shape", "8x8", "--pattern", "diagonal");
    refused("does not fit 6 x 8", "--shape", "6x8", "--pattern", "4x1");
    refused("does not fit 8 x 6", "--shape", "8x6", "--pattern", "2:4");
    refused("is no sparse format", "--shape", "8x8", "--format", "coo");
    refused("--suite", "--suite", "vgg");
    refused("--retune", pruned, "--retune", "--no-tune-cache");
    refused("zeros of their own", "--smtx", smtx, "--sparsity", "0.5");
  }

  @Test
  void refusesBadFiles() throws Exception {
    refused("does not exist", "--smtx", folder.resolve("none").toString());
    Path empty = Files.createDirectories(folder.resolve("empty"));
    refused("no .smtx file", "--smtx", empty.toString());
    Path bad = Files.writeString(folder.resolve("bad.smtx"), "2, 4, 4\n0 2 4\n1 3 0");
    refused("bad.smtx, line 3: expected column index 3", "--smtx", bad.toString());
    Path none = Files.writeString(folder.resolve("none.smtx"), "0, 0, 0\n0\n\n");
    refused("without elements", "--smtx", none.toString());
  }

  @Test
  void refusesOutputsThatCannotBeWritten() {
    String nowhere = folder.resolve("no/such/b.html").toString();
    Console console = Console.run("bench", "--shape", "8x8", "--html", nowhere);
    assertEquals(1, console.code());
    assertTrue(console.complaint().contains("does not exist"), console.err());
  }
}
