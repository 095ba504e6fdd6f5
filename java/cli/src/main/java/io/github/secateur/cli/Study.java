package io.github.secateur.cli;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.prune.Strategy;
import io.github.secateur.report.Baseline;
import io.github.secateur.report.Cell;
import io.github.secateur.report.FileSizes;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import io.github.secateur.train.Progress;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The main job: trains one dense network, prunes it by several strategies to several sparsities,
 * and measures every result. Each finished part is a file in the work folder, so that a stopped
 * study goes on where it was.
 */
final class Study {
  private static final String DENSE = "dense";

  /**
   * What to compare.
   *
   * @param network name for {@link Networks#parse}
   * @param strategies by the name shown
   * @param sparsities of prunable weights, ascending
   * @param train dense training
   * @param fineTune fine-tuning of every cell
   */
  record Plan(
      String network,
      Map<String, Strategy> strategies,
      List<Double> sparsities,
      TrainOptions train,
      TrainOptions fineTune) {
    /** Copies the collections, in order. */
    Plan {
      strategies = new LinkedHashMap<>(strategies);
      sparsities = List.copyOf(sparsities);
    }

    /** One line that two plans share only when they make the same study. */
    String identity(DataSplit data) {
      return "%s|%s|%s|%s|%s|%s"
          .formatted(network, strategies, sparsities, train, fineTune, data.train().sha256());
    }
  }

  /**
   * The dense network.
   *
   * @param model as read back from its file
   * @param facts quality, history, size
   */
  record Dense(Model model, Baseline facts) {}

  /** A cell and its network. */
  record Pruned(Cell cell, Model model) {}

  private final Device device;
  private final DataSplit data;
  private final Plan plan;
  private final StudyFiles files;
  private final Progress progress;

  Study(Device device, DataSplit data, Plan plan, StudyFiles files, Progress progress) {
    this.device = device;
    this.data = data;
    this.plan = plan;
    this.files = files;
    this.progress = progress;
  }

  /** Trains the dense network, or reads it when that was done before. */
  Dense dense() throws IOException {
    Path onnx = files.model(DENSE);
    if (!files.has(DENSE)) {
      Path saved = files.checkpoint(DENSE);
      Trainer trainer =
          new Trainer(
                  device,
                  Networks.parse(plan.network, plan.train.seed()),
                  data,
                  plan.train,
                  List.of())
              .checkpoint(Checkpointing.to(saved))
              .progress(progress.named(stage -> "dense: " + stage));
      if (Files.exists(saved)) {
        trainer.resume(Checkpoint.read(saved));
      }
      TrainResult result = trainer.run();
      OnnxWriter.write(result.model(), onnx);
      Metrics test = Evaluator.evaluate(device, result.model(), DataOptions.held(data));
      double seconds = result.history().stream().mapToDouble(EpochRecord::seconds).sum();
      files.write(
          new Baseline(test, result.history(), FileSizes.measure(onnx, null, null, null), seconds));
    }
    return new Dense(ModelFiles.read(onnx), files.read(DENSE).dense());
  }

  /** Makes all cells, or reads those that were made before. */
  List<Pruned> cells(Dense dense) throws IOException {
    List<Pruned> cells = new ArrayList<>();
    for (Map.Entry<String, Strategy> strategy : plan.strategies.entrySet()) {
      for (double sparsity : plan.sparsities) {
        cells.add(cell(dense, strategy.getKey(), strategy.getValue(), sparsity));
      }
    }
    return cells;
  }

  private Pruned cell(Dense dense, String name, Strategy strategy, double sparsity)
      throws IOException {
    String id = StudyFiles.cellId(name, sparsity);
    String title = name + " " + StudyFiles.percent(sparsity) + " %";
    if (!files.has(id)) {
      PruneOptions options = new PruneOptions(strategy, sparsity, plan.fineTune);
      long started = System.nanoTime();
      PruneResult result =
          new Pruning(device, dense.model, data, options)
              .checkpoint(Checkpointing.to(files.checkpoint(id)))
              .progress(progress.named(stage -> title + ": " + stage))
              .resume()
              .run();
      double seconds =
          device.info().simulated() ? Double.NaN : (System.nanoTime() - started) * 1e-9;
      Metrics test = Evaluator.evaluate(device, result.model(), DataOptions.held(data));
      FileSizes sizes = export(id, result.model());
      long nonzeros = Exports.countNonzeros(files.model(id));
      Cell cell =
          Cell.of(name, result, test, dense.facts.test())
              .withExport(nonzeros, sizes)
              .withTrainSeconds(seconds);
      files.write(id, cell);
    }
    return new Pruned(files.read(id).cells().getFirst(), ModelFiles.read(files.model(id)));
  }

  private FileSizes export(String id, Model pruned) throws IOException {
    Path withZeros = files.model(id);
    OnnxWriter.write(pruned, withZeros);
    Path sparse = files.model(id + "-sparse");
    OnnxWriter.write(pruned, sparse, Exports.options(true));
    Path shrunk = files.model(id + "-shrunk");
    OnnxWriter.write(Shrinker.shrink(pruned), shrunk);
    return FileSizes.measure(files.model(DENSE), withZeros, sparse, shrunk);
  }
}
