package io.github.secateur.reproduce;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.AtomicFile;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.nn.Standardization;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.recipe.FitSettings;
import io.github.secateur.recipe.PruneSettings;
import io.github.secateur.recipe.Recipe;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Progress;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a table. Each row and seed leaves its network and, last, its outcome in the folder; a run
 * that finds an outcome of the same protocol goes past it, and one that was stopped in the middle
 * of a row goes on from the row's checkpoint.
 */
public final class Reproduction {
  private static final int EPOCHS = 20;

  private final Device device;
  private final Table table;
  private final Plan plan;
  private final DataSplit data;
  private final Progress progress;

  /**
   * What to run.
   *
   * @param protocol of all rows
   * @param seeds 1 .. n
   * @param folder holds outcomes and networks; made where missing
   */
  public record Plan(Protocol.Kind protocol, int seeds, Path folder) {
    /** Checks the count. */
    public Plan {
      if (seeds < 1) {
        throw new IllegalArgumentException("a reproduction needs 1 or more seeds, got " + seeds);
      }
    }
  }

  /** Prepares a run; test samples are needed. */
  public Reproduction(Device device, Table table, Plan plan, DataSplit data, Progress progress) {
    this.device = device;
    this.table = table;
    this.plan = plan;
    this.data = data;
    this.progress = progress;
    if (data.test() == null) {
      throw new IllegalArgumentException("reproducing a table needs test samples");
    }
    for (Table.Row row : table.rows()) { // a mistake shows before hours of work, not after
      Recipe recipe = row.protocols().get(plan.protocol()).recipe();
      if (!recipe.train().names().isEmpty()) {
        FitSettings.options(recipe.train(), EPOCHS, 1);
      }
      if (!recipe.prune().names().isEmpty()) {
        TrainOptions fineTune = FitSettings.options(recipe.fineTune(), EPOCHS, 1);
        PruneSettings.options(recipe.prune(), 1, fineTune, null);
      } else if (!recipe.fineTune().names().isEmpty()) {
        throw new IllegalArgumentException(
            "row '%s' has fine-tune but no prune; it should be train, or prune something"
                .formatted(row.name()));
      }
    }
  }

  /** Runs all rows under all seeds, and judges them. */
  public List<Verdict> run() throws IOException {
    Files.createDirectories(plan.folder());
    List<Outcome> outcomes = new ArrayList<>();
    for (long seed = 1; seed <= plan.seeds(); seed++) {
      for (Table.Row row : table.rows()) {
        outcomes.add(outcome(row, seed));
      }
    }
    return table.rows().stream().map(row -> Verdict.of(row, outcomes)).toList();
  }

  private Outcome outcome(Table.Row row, long seed) throws IOException {
    Path record = file(row, seed, ".json");
    Recipe recipe = row.protocols().get(plan.protocol()).recipe();
    String identity = identity(row, recipe, seed);
    ObjectMapper json = new ObjectMapper();
    if (Files.exists(record)) {
      JsonNode before = json.readTree(record.toFile());
      if (before.path("identity").asText().equals(identity)) {
        return json.treeToValue(before.path("outcome"), Outcome.class);
      }
    }
    Outcome outcome = make(row, recipe, seed);
    ObjectNode kept =
        json.createObjectNode().put("identity", identity).put("recipe", recipe.toYaml());
    kept.set("outcome", json.valueToTree(outcome));
    AtomicFile.write(record, kept.toPrettyString());
    return outcome;
  }

  /** What an outcome follows from: with another protocol, start or data it is another outcome. */
  private String identity(Table.Row row, Recipe recipe, long seed) {
    String start =
        switch (row.start()) {
          case Table.Start.Network(String model, boolean standardize) ->
              model + (standardize ? ", standardized" : "");
          case Table.Start.Of(String name) -> {
            Table.Row before = table.row(name);
            yield identity(before, before.protocols().get(plan.protocol()).recipe(), seed);
          }
        };
    return "%s | %s | %s | %s | %d | %s%s"
        .formatted(
            start,
            recipe.train().written(),
            recipe.prune().written(),
            recipe.fineTune().written(),
            seed,
            data.hashes(),
            row.measure() == Table.Measure.LOWEST ? " | lowest" : "");
  }

  private Outcome make(Table.Row row, Recipe recipe, long seed) throws IOException {
    long begin = System.nanoTime();
    Progress named = progress.named(stage -> "%s, seed %d, %s".formatted(row.name(), seed, stage));
    Path checkpoint = file(row, seed, ".ckpt");
    Model model =
        switch (row.start()) {
          case Table.Start.Of(String name) -> OnnxReader.read(file(table.row(name), seed, ".onnx"));
          case Table.Start.Network(String name, boolean standardize) -> {
            Model network = Networks.parse(name, seed);
            yield standardize ? Standardization.of(data.train().x()).before(network) : network;
          }
        };
    int epochs = 0;
    double sparsity = 0;
    DataSplit seen = row.measure() == Table.Measure.LOWEST ? withTestSeen() : data;
    List<EpochRecord> history = List.of();
    Runnable finished = () -> {};
    if (!recipe.train().names().isEmpty()) {
      TrainOptions options = FitSettings.options(recipe.train(), EPOCHS, seed);
      Trainer trainer =
          new Trainer(device, model, seen, options, List.of())
              .checkpoint(Checkpointing.to(checkpoint))
              .progress(named);
      if (Files.exists(checkpoint)) {
        trainer.resume(Checkpoint.read(checkpoint));
      }
      TrainResult trained = trainer.run();
      model = trained.model();
      history = trained.history();
      epochs += options.epochs();
    }
    if (!recipe.prune().names().isEmpty()) {
      TrainOptions fineTune = FitSettings.options(recipe.fineTune(), EPOCHS, seed);
      PruneOptions options = PruneSettings.options(recipe.prune(), seed, fineTune, null);
      Pruning pruning =
          new Pruning(device, model, seen, options)
              .checkpoint(Checkpointing.to(checkpoint))
              .progress(named)
              .resume();
      PruneResult result = pruning.run();
      model = result.model();
      sparsity = result.reached();
      history = result.history();
      epochs += history.size();
      finished = pruning::deleteCheckpoints;
    }
    OnnxWriter.write(model, file(row, seed, ".onnx"));
    finished.run(); // the network is kept: what a stopped run would go on from may go
    Files.deleteIfExists(checkpoint);
    double error = Evaluator.evaluate(device, model, data.test()).errorPercent();
    double seconds = device.info().simulated() ? Double.NaN : (System.nanoTime() - begin) * 1e-9;
    Double lowest = row.measure() == Table.Measure.LOWEST ? lowest(history, sparsity, error) : null;
    return new Outcome(row.name(), seed, error, lowest, sparsity, epochs, seconds);
  }

  /** The test samples in place of validation: looked at after each epoch, training as without. */
  private DataSplit withTestSeen() {
    return new DataSplit(data.train(), data.test(), data.test());
  }

  /** The lowest error in percent after any epoch that was as sparse as the result. */
  private static double lowest(List<EpochRecord> history, double sparsity, double last) {
    return history.stream()
        .filter(epoch -> epoch.sparsity() > sparsity - 1e-9)
        .mapToDouble(epoch -> 100 * (1 - epoch.validationAccuracy()))
        .reduce(last, Math::min);
  }

  private Path file(Table.Row row, long seed, String ending) {
    String name = row.name().replaceAll("[^A-Za-z0-9]+", "-").replaceAll("^-|-$", "");
    String unique = Integer.toHexString(row.name().getBytes(StandardCharsets.UTF_8).length);
    return plan.folder().resolve("%s-%s-seed%d%s".formatted(name, unique, seed, ending));
  }
}
