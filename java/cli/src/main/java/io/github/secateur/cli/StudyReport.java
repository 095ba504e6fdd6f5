package io.github.secateur.cli;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.Samples;
import io.github.secateur.report.Artifact;
import io.github.secateur.report.Cell;
import io.github.secateur.report.Histograms;
import io.github.secateur.report.LatencyRow;
import io.github.secateur.report.LayerChoice;
import io.github.secateur.report.ModelFacts;
import io.github.secateur.report.Report;
import io.github.secateur.report.WeightHistogram;
import io.github.secateur.sparse.Latency;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import io.github.secateur.train.Provenance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Measures the speed of a study's networks and puts its report together. */
final class StudyReport {
  /** The sparsity whose weights are drawn before and after. */
  private static final double SHOWN = 0.9;

  private static final int REPEATS = 9;

  /** Zeros from which a layer runs sparse where that cannot be measured. */
  private static final double SPARSE_FROM = 0.7;

  private final Device device;
  private final List<Long> batches;
  private final List<LatencyRow> latencies = new ArrayList<>();
  private final List<LayerChoice> choices = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  StudyReport(Device device, List<Long> batches) {
    this.device = device;
    this.batches = batches;
    if ("yes".equals(device.info().details().get("blas-held-back"))) {
      notes.add(
          "OPENBLAS_CORETYPE holds the dense baseline on slower kernels than this processor has, so"
              + " every dense time and every speed-up here flatters the sparse side: unset it, and"
              + " OPENBLAS_L2_SIZE, to measure.");
    }
  }

  /**
   * Times a pruned network against the dense one: sparse for unstructured masks, shrunk for
   * neurons.
   */
  void measure(Study.Pruned pruned) {
    Cell cell = pruned.cell();
    Model shrunk = Shrinker.shrink(pruned.model());
    boolean smaller = parameters(shrunk) < parameters(pruned.model());
    Map<Long, Sparsified> byBatch = new LinkedHashMap<>();
    for (Sparsified s :
        Sparsify.apply(
            device, pruned.model(), batches, Sparsify.Options.defaults().withBreakEven())) {
      byBatch.put(s.batch(), s);
      s.choices().forEach(c -> choices.add(new LayerChoice(label(cell), c)));
    }
    Latency timed =
        Latency.measure(
            device,
            batch -> variants(pruned, shrunk, smaller, byBatch.get(batch)),
            batches,
            REPEATS);
    for (Latency.Row row : timed.rows()) {
      latencies.add(
          new LatencyRow(
              cell.strategy(),
              cell.requested(),
              row.batch(),
              row.variants().get("dense"),
              row.variants().get("sparse"),
              row.variants().get("shrunk"),
              Integer.parseInt(device.info().details().getOrDefault("threads", "0")),
              device.info().details().get("blas-core")));
    }
  }

  private static Map<String, Model> variants(
      Study.Pruned pruned, Model shrunk, boolean smaller, Sparsified sparsified) {
    Map<String, Model> models = new LinkedHashMap<>();
    models.put("dense", pruned.model());
    models.put("sparse", sparsified.model());
    if (smaller) {
      models.put("shrunk", shrunk);
    }
    return models;
  }

  /**
   * Instead of timing on a simulated device: runs every network with its layers of many zeros
   * sparse and says what came of it.
   */
  void checkSparse(List<Study.Pruned> cells, Samples held) {
    double worst = 0;
    for (Study.Pruned pruned : cells) {
      Model sparse = Sparsify.everywhere(pruned.model(), SPARSE_FROM);
      Metrics metrics = Evaluator.evaluate(device, sparse, held);
      worst =
          Math.max(worst, Math.abs(metrics.errorPercent() - pruned.cell().test().errorPercent()));
    }
    notes.add(
        String.format(
            Locale.ROOT,
            "%s: its results are those of the CUDA device's own code run on the CPU, its times say"
                + " nothing and are left out. With every layer of %.0f %% zeros and more run"
                + " sparse, the test error of the %d networks moves by at most %.2f points.",
            device.info().description(),
            100 * SPARSE_FROM,
            cells.size(),
            worst));
  }

  /** The report. */
  Report assemble(
      Study.Plan plan, DataSplit data, Study.Dense dense, List<Study.Pruned> cells, Context context)
      throws IOException {
    Provenance provenance =
        Provenance.of(
            device, plan.train().seed(), options(plan), Map.of("training", data.train().sha256()));
    List<WeightHistogram> histograms = new ArrayList<>();
    for (Study.Pruned p : cells) {
      if (Math.abs(p.cell().requested() - SHOWN) < 1e-9) {
        histograms.addAll(histograms(dense.model(), p));
      }
    }
    return new Report(
        "%s on %s: dense against pruned".formatted(plan.network(), data.train().name()),
        context.command(),
        provenance,
        facts(plan.network(), dense.model()),
        dense.facts(),
        cells.stream().map(Study.Pruned::cell).toList(),
        latencies,
        choices,
        histograms,
        notes,
        artifacts(context.files(), cells));
  }

  /**
   * What a report is made for.
   *
   * @param command the command line
   * @param files the study's folder
   */
  record Context(String command, StudyFiles files) {}

  private static Map<String, String> options(Study.Plan plan) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("dense training", plan.train().toString());
    options.put("fine-tuning", plan.fineTune().toString());
    plan.strategies().forEach((name, strategy) -> options.put(name, strategy.toString()));
    return options;
  }

  private static ModelFacts facts(String name, Model model) {
    List<String> layers = new ArrayList<>();
    long prunable = 0;
    for (Prunable p : Prunables.find(model)) {
      layers.add("%s %s %s".formatted(p.layer(), p.opType(), p.shape()));
      prunable += p.shape().size();
    }
    return new ModelFacts(name, layers, parameters(model), prunable);
  }

  private static long parameters(Model model) {
    return model.graph().initializers().values().stream()
        .filter(t -> t.dtype().isFloating())
        .mapToLong(t -> t.size())
        .sum();
  }

  private static List<Artifact> artifacts(StudyFiles files, List<Study.Pruned> cells)
      throws IOException {
    List<Artifact> artifacts = new ArrayList<>();
    add(artifacts, files.model("dense"), "the dense network");
    for (Study.Pruned p : cells) {
      String id = StudyFiles.cellId(p.cell().strategy(), p.cell().requested());
      add(artifacts, files.model(id), label(p.cell()) + ", masked");
      add(artifacts, files.model(id + "-sparse"), label(p.cell()) + ", sparse initializers");
      add(artifacts, files.model(id + "-shrunk"), label(p.cell()) + ", dead units cut out");
    }
    return artifacts;
  }

  private static void add(List<Artifact> artifacts, Path file, String description)
      throws IOException {
    artifacts.add(new Artifact("models/" + file.getFileName(), description, Files.size(file)));
  }

  private static String label(Cell cell) {
    return cell.strategy() + " " + StudyFiles.percent(cell.requested()) + " %";
  }

  private static List<WeightHistogram> histograms(Model dense, Study.Pruned pruned) {
    List<WeightHistogram> all = new ArrayList<>();
    for (Prunable p : Prunables.find(dense)) {
      String name = p.parameter();
      all.add(
          Histograms.of(
              pruned.cell().strategy() + " " + name,
              dense.graph().initializer(name),
              pruned.model().graph().initializer(name),
              pruned.model().masks().get(name),
              Histograms.BINS));
    }
    return all;
  }
}
