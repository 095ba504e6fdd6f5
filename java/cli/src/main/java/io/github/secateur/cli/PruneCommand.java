package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Standardization;
import io.github.secateur.prune.Budget;
import io.github.secateur.prune.DataFree;
import io.github.secateur.prune.LayerSparsity;
import io.github.secateur.prune.MaskRule;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.prune.Strategy;
import io.github.secateur.recipe.FitSettings;
import io.github.secateur.recipe.PruneSettings;
import io.github.secateur.recipe.Recipe;
import io.github.secateur.recipe.RecipeReader;
import io.github.secateur.recipe.Settings;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

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
      "  secateur prune dense.onnx --data mnist --allocation fc1=0.92,fc2=0.91,fc3=0.74 -o"
          + " han.onnx",
      "  secateur prune dense.onnx --pattern 2:4 --data mnist -o nm.onnx",
      "  secateur prune lenet-300-100 --criterion snip -s 0.95 --data mnist --epochs 20 -o"
          + " snip.onnx",
      "  secateur prune lenet-300-100 --method rigl -s 0.95 --data mnist --epochs 20 -o rigl.onnx",
      "  secateur prune --recipe recipe.yaml -o pruned.onnx"
    })
final class PruneCommand implements Callable<Integer> {
  private static final int TRAIN_EPOCHS = 20;
  private static final int FINE_TUNE_EPOCHS = 8;

  /** Metadata property that holds the recipe of a pruned network. */
  static final String RECIPE = "secateur.recipe";

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..1",
      description =
          "An ONNX file, a checkpoint (.ckpt), or the name of a network to prune before training,"
              + " such as lenet-300-100. May stand in the recipe.")
  String model;

  @Option(
      names = "--recipe",
      paramLabel = "FILE.yaml",
      description =
          "Settings from a file: names as here without the dashes, how to prune under 'prune:', how"
              + " to fine-tune under 'fine-tune:'. What stands on the command line counts more."
              + " 'secateur inspect FILE.onnx --recipe' prints the recipe of a pruned network.")
  Path recipeFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE.onnx",
      required = true,
      description = "Where to write the pruned network.")
  Path output;

  @Option(
      names = "--standardize",
      description =
          "A network given by name: let it bring its inputs to mean 0 and deviation 1 over the"
              + " training samples.")
  boolean standardize;

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

  @Spec CommandSpec spec;

  private Recipe recipe = Recipe.empty();

  @Override
  public Integer call() throws Exception {
    readRecipe();
    Outputs.requireWritable(output);
    Model start = ModelFiles.readOrBuild(model, common.seed);
    if (!data.given() && standardize) {
      throw new UserException(
          recipe.run().where("standardize") + " needs data; add --data mnist or --data FOLDER.");
    }
    return data.given() ? fineTuned(start) : dataFree(start);
  }

  /** The recipe file, if any, with what the command line says over it. */
  private void readRecipe() throws IOException {
    if (recipeFile != null) {
      recipe = RecipeReader.read(recipeFile);
    }
    Settings run = recipe.run();
    for (String mixin : List.of("data", "common")) {
      Settings flags = Flags.of(spec, mixin);
      flags.names().stream()
          .filter(Recipe.RUN::contains)
          .forEach(name -> run.put(name, flags.text(name, ""), "--" + name));
    }
    if (model != null) {
      run.put("model", model, "MODEL");
    }
    model = run.text("model", null);
    if (model == null) {
      throw new UserException(
          "name the network to prune: an ONNX file, or one such as lenet-5-caffe.");
    }
    if (standardize) {
      run.put("standardize", "true", "--standardize");
    }
    standardize = run.has("standardize") && run.flag("standardize");
    if (standardize && !ModelFiles.isNetwork(model)) {
      throw new UserException(
          "%s is for networks given by name; %s reads its inputs as it was trained to. Leave it out."
              .formatted(run.where("standardize"), model));
    }
    common.seed = run.whole("seed", 1, Long.MIN_VALUE, Long.MAX_VALUE);
    common.device = run.text("device", common.device);
    common.threads = run.has("threads") ? run.count("threads", 0, 0) : common.threads;
    data.data = run.text("data", null);
    data.validation = data.given() ? run.number("validation", 0, 0, 0.999) : 0;
    recipe.prune().putAll(Flags.of(spec, "how"));
    recipe.fineTune().putAll(Flags.of(spec, "fit"));
  }

  private int dataFree(Model start) throws IOException {
    TrainOptions none = TrainOptions.adam(1, 1e-3f, common.seed);
    for (Settings training : List.of(recipe.train(), recipe.fineTune())) {
      if (!training.names().isEmpty()) {
        throw new UserException(
            training.where(training.names().iterator().next())
                + " is about training, which needs data; add --data mnist or --data FOLDER.");
      }
    }
    if (!recipe.prune().has("schedule") && PruneSettings.method(recipe.prune()).equals("score")) {
      recipe.prune().put("schedule", "one-shot", "without data");
    }
    PruneOptions options = PruneSettings.options(recipe.prune(), common.seed, none, null);
    if (!(options.strategy() instanceof Strategy.Scored scored)) {
      throw new UserException(
          recipe.prune().where(recipe.prune().has("method") ? "method" : "criterion")
              + " learns from data; add --data mnist or --data FOLDER, or take --criterion"
              + " magnitude.");
    }
    boolean units = scored.pattern() instanceof Pattern.Neuron;
    if (scored.pattern() instanceof Pattern.Given) {
      throw new UserException(
          "given masks need data at hand; add --data mnist or --data FOLDER, or take"
              + " --pattern unstructured with --criterion magnitude.");
    }
    if (options.rule() != MaskRule.SECATEUR) {
      throw new UserException(
          recipe.prune().where("mask-rule")
              + " needs data at hand; add --data mnist or --data FOLDER.");
    }
    if (options.budget() instanceof Budget.Counted && !units) {
      throw new UserException(
          recipe.prune().where("budget") + " needs data at hand; without, give a --sparsity.");
    }
    DataFree.Result result =
        DataFree.prune(
            start,
            new DataFree.Options(
                scored.criterion(),
                scored.pattern(),
                scored.allocation(),
                options.limits(),
                options.budget()));
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

  private int fineTuned(Model start) throws Exception {
    TrainOptions fineTune = FitSettings.options(recipe.fineTune(), FINE_TUNE_EPOCHS, common.seed);
    DataSplit split = data.read(common.seed);
    Model network = standardize ? Standardization.of(split.train().x()).before(start) : start;
    Path saved = checkpoint != null ? checkpoint : Outputs.sibling(output, ".ckpt");
    try (Device device = common.openDevice()) {
      PruneOptions options =
          PruneSettings.options(
              recipe.prune(), common.seed, fineTune, batch -> m -> microseconds(device, m, batch));
      Model dense = recipe.train().names().isEmpty() ? network : trained(device, network, split);
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
        Files.deleteIfExists(Outputs.sibling(output, ".train.ckpt"));
      }
      print(result, before, after);
    }
    return 0;
  }

  /** The dense training that a recipe puts first; its checkpoint is kept until the end. */
  private Model trained(Device device, Model start, DataSplit split) throws IOException {
    TrainOptions options = FitSettings.options(recipe.train(), TRAIN_EPOCHS, common.seed);
    Path saved = Outputs.sibling(output, ".train.ckpt");
    Trainer trainer =
        new Trainer(device, start, split, options, List.of())
            .checkpoint(Checkpointing.to(saved))
            .progress(common.progress());
    if (resume && Files.exists(saved)) {
      trainer.resume(Checkpoint.read(saved));
    }
    return trainer.run().model();
  }

  /** A pass of the network with its layers sparse where that is faster. */
  private static double microseconds(Device device, Model pruned, int batch) {
    return Sparsify.apply(device, pruned, List.of((long) batch), Sparsify.Options.defaults())
        .getFirst()
        .sparse()
        .median();
  }

  private void write(Model pruned) throws IOException {
    Model out = shrink ? Shrinker.shrink(pruned) : pruned.copy();
    out.metadata().put(RECIPE, recipe.toYaml());
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
    json.put("input", model).put("output", output.toString());
    json.put("requested", requested).put("reached", reached);
    if (Files.exists(Path.of(model))) {
      json.put("bytesBefore", Files.size(Path.of(model)));
    }
    json.put("bytesAfter", Files.size(output)).put("recipe", recipe.toYaml());
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
    String before =
        Files.exists(Path.of(model))
            ? " (before: " + Outputs.bytes(Files.size(Path.of(model))) + ")"
            : "";
    System.out.printf("written to %s: %s%s%n", output, Outputs.bytes(Files.size(output)), before);
  }
}
