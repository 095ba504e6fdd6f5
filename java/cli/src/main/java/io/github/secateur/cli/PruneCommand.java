package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.prune.DataFree;
import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.prune.Strategy;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur prune}. */
@Command(
    name = "prune",
    mixinStandardHelpOptions = true,
    description = {
      "Prunes a network and writes it as ONNX.",
      "",
      "Without --data only the weights are looked at: any ONNX file with Gemm, MatMul or Conv"
          + " weights can be pruned, whatever else is in it. With --data the network is fine-tuned"
          + " while it is pruned, and its accuracy is measured before and after."
    },
    footer = {
      "",
      "Examples:",
      "  secateur prune any.onnx --sparsity 0.5 -o out.onnx",
      "  secateur prune dense.onnx --sparsity 0.9 --data mnist -o pruned.onnx",
      "  secateur prune dense.onnx --sparsity 0.8 --data mnist --criterion activation --shrink -o"
          + " small.onnx",
      "  secateur prune dense.onnx --data mnist --allocation fc1=0.92,fc2=0.91,fc3=0.74 -o han.onnx"
    })
final class PruneCommand implements Callable<Integer> {
  private static final int FINE_TUNE_EPOCHS = 8;

  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(
      names = {"-s", "--sparsity"},
      paramLabel = "S",
      description =
          "Share of the prunable weights to remove, 0..1. Not needed where --allocation gives"
              + " ratios.")
  Double sparsity;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE.onnx",
      required = true,
      description = "Where to write the pruned network.")
  Path output;

  @Option(
      names = "--shrink",
      description =
          "Cut neurons out of the graph that pruning removed whole: a smaller dense network.")
  boolean shrink;

  @Option(
      names = "--sparse",
      description = "Store pruned weights as sparse initializers: a smaller file.")
  boolean sparse;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE.ckpt",
      description = "Where the run saves itself as it goes on (default: OUTPUT with .ckpt).")
  Path checkpoint;

  @Option(names = "--resume", description = "Go on from the checkpoints of the same run.")
  boolean resume;

  @Mixin StrategyOptions how;
  @Mixin DataOptions data;
  @Mixin FitOptions fit;
  @Mixin CommonOptions common;

  @Override
  public Integer call() throws Exception {
    double wanted = requestedSparsity();
    Outputs.requireWritable(output);
    Model model = ModelFiles.read(file);
    return data.given() ? fineTuned(model, wanted) : dataFree(model, wanted);
  }

  private double requestedSparsity() {
    if (sparsity == null) {
      if (how.masks != null || (how.allocation != null && how.allocation.contains("="))) {
        return 0;
      }
      throw new UserException(
          "say how much to prune: --sparsity 0.9 removes 90 % of the prunable weights.");
    }
    if (!(sparsity >= 0 && sparsity <= 1)) {
      throw new UserException(
          "--sparsity must be between 0 and 1, got %s; write 0.9 for 90 %%.".formatted(sparsity));
    }
    return sparsity;
  }

  private int dataFree(Model model, double wanted) throws IOException {
    if (!(how.toStrategy(common.seed) instanceof Strategy.Scored scored)) {
      throw new UserException(
          "--criterion "
              + how.criterion
              + " learns from data; add --data mnist or --data FOLDER, or take --criterion"
              + " magnitude.");
    }
    if (!(scored.pattern() instanceof Pattern.Unstructured)) {
      throw new UserException(
          "neurons and given masks need data at hand; add --data mnist or --data FOLDER, or take"
              + " --pattern unstructured with --criterion magnitude.");
    }
    DataFree.Result result =
        DataFree.prune(
            model, new DataFree.Options(scored.criterion(), scored.allocation(), wanted));
    write(result.model());
    ObjectNode json = summary(result.requested(), result.reached(), result.taken());
    ArrayNode left = json.putArray("left");
    result.left().forEach(l -> left.add(Outputs.json(l)));
    if (common.json) {
      System.out.println(json.toPrettyString());
      return 0;
    }
    printLayers(result.taken(), result.requested(), result.reached());
    printLeft(result.left());
    printWritten();
    return 0;
  }

  private int fineTuned(Model dense, double wanted) throws Exception {
    PruneOptions options =
        new PruneOptions(
            how.toStrategy(common.seed), wanted, fit.toTrainOptions(FINE_TUNE_EPOCHS, common.seed));
    DataSplit split = data.read(common.seed);
    Path saved = checkpoint != null ? checkpoint : Outputs.sibling(output, ".ckpt");
    try (Device device = common.openDevice()) {
      Metrics before = Evaluator.evaluate(device, dense, DataOptions.held(split));
      Pruning pruning =
          new Pruning(device, dense, split, options)
              .checkpoint(Checkpointing.to(saved))
              .progress(common.progress());
      PruneResult result = (resume ? pruning.resume() : pruning).run();
      write(result.model());
      Metrics after = Evaluator.evaluate(device, result.model(), DataOptions.held(split));
      if (checkpoint == null) {
        pruning.deleteCheckpoints();
      }
      print(result, before, after);
    }
    return 0;
  }

  private void write(Model pruned) throws IOException {
    Model out = shrink ? Shrinker.shrink(pruned) : pruned;
    OnnxWriter.write(out, output, Exports.options(sparse));
  }

  private void print(PruneResult result, Metrics before, Metrics after) throws IOException {
    ObjectNode json = summary(result.requested(), result.reached(), result.layers());
    json.set("before", Outputs.json(before));
    json.set("after", Outputs.json(after));
    if (!Double.isNaN(result.learned())) {
      json.put("learnedSparsity", result.learned());
    }
    if (common.json) {
      System.out.println(json.toPrettyString());
      return;
    }
    printLayers(result.layers(), result.requested(), result.reached());
    if (!Double.isNaN(result.learned())) {
      System.out.printf(
          Locale.ROOT, "training by itself reached %.2f %%%n", 100 * result.learned());
    }
    System.out.printf(
        Locale.ROOT,
        "error on %d held-out samples: %.2f %% dense, %.2f %% pruned (%+.2f points)%n",
        after.samples(),
        before.errorPercent(),
        after.errorPercent(),
        after.errorPercent() - before.errorPercent());
    printWritten();
  }

  private ObjectNode summary(double requested, double reached, List<LayerSparsity> layers)
      throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("input", file.toString()).put("output", output.toString());
    json.put("requested", requested).put("reached", reached);
    json.put("bytesBefore", Files.size(file)).put("bytesAfter", Files.size(output));
    ArrayNode array = json.putArray("layers");
    layers.forEach(l -> array.add(Outputs.json(l)));
    return json;
  }

  private static void printLayers(List<LayerSparsity> layers, double requested, double reached) {
    TerminalTable table =
        TerminalTable.of("layer", "weight", "shape", "pruned", "of", "sparsity", "dead units");
    long pruned = 0;
    long all = 0;
    for (LayerSparsity l : layers) {
      pruned += l.pruned();
      all += l.shape().size();
      table.row(
          l.layer(),
          l.parameter(),
          l.shape().toString(),
          Long.toString(l.pruned()),
          Long.toString(l.shape().size()),
          "%.2f %%".formatted(100 * l.sparsity()),
          l.deadUnits() + " of " + l.units());
    }
    System.out.print(table);
    System.out.printf(
        Locale.ROOT,
        "pruned %d of %d prunable weights: %.4f %%, asked for %.4f %%%n",
        pruned,
        all,
        100 * reached,
        100 * requested);
  }

  private static void printLeft(List<DataFree.Left> left) {
    if (left.isEmpty()) {
      return;
    }
    System.out.printf("left as they were: %d weights (--json names them)%n", left.size());
    Map<String, Long> counts =
        left.stream()
            .collect(
                Collectors.groupingBy(
                    l -> l.reason().replaceAll(" '[^']*'", ""),
                    LinkedHashMap::new,
                    Collectors.counting()));
    counts.forEach((reason, count) -> System.out.printf("  %5d  %s%n", count, reason));
  }

  private void printWritten() throws IOException {
    System.out.printf(
        "written to %s: %s (before: %s)%n",
        output, Outputs.bytes(Files.size(output)), Outputs.bytes(Files.size(file)));
  }
}
