package io.github.secateur.cli;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.Pattern;
import io.github.secateur.prune.Schedule;
import io.github.secateur.prune.Strategy;
import io.github.secateur.report.Cell;
import io.github.secateur.report.ComparisonTables;
import io.github.secateur.report.HtmlReport;
import io.github.secateur.report.JsonReport;
import io.github.secateur.report.Report;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.StoppedException;
import io.github.secateur.train.TrainOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code secateur demo}: the main job. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a network on real MNIST, prunes it by three strategies at equal weight sparsity,"
          + " fine-tunes, runs it sparse, exports and compares: a table here, a report to open."
    },
    footer = {
      "",
      "Examples:",
      "  secateur demo                      some minutes on two cores",
      "  secateur demo --quick              under a minute",
      "  secateur demo --seeds 3            mean and spread over three seeds",
      "  secateur demo --resume             go on after Ctrl-C or a crash",
      "  secateur demo --data fashion/ --model mlp:784-512-256-10 --out fashion-out"
    })
final class DemoCommand implements Callable<Integer> {
  private static final float RATE = 1.2e-3f;
  private static final double SHOWN = 0.9;

  @Option(
      names = "--quick",
      description =
          "Fewer epochs and sparsities; fails unless dense error is at most 3 %% and that of 90 %%"
              + " magnitude pruning at most 4 %% (on MNIST).")
  boolean quick;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      defaultValue = "secateur-out",
      description = "Where to put networks and report (default: ${DEFAULT-VALUE}).")
  Path out;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = "lenet-300-100",
      description =
          "simple-net, lenet-300-100 (default), mlp:SIZES[:ACTIVATION], lenet-5-caffe or"
              + " resnet-DEPTH[:CxHxW].")
  String model;

  @Option(
      names = "--sparsity",
      paramLabel = "S",
      split = ",",
      description = "Sparsities to compare (default: 0.5,0.8,0.9,0.95,0.98; quick: 0.5,0.9,0.98).")
  List<Double> sparsities;

  @Option(
      names = "--strategies",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "magnitude,activation,l1",
      description =
          "Any of magnitude, activation, l1, gates, random, oneshot (default: ${DEFAULT-VALUE}).")
  List<String> strategies;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Epochs of dense training (default: 20; quick: 4).")
  Integer epochs;

  @Option(
      names = "--fine-tune",
      paramLabel = "N",
      description = "Epochs of pruning and fine-tuning (default: 8; quick: 2).")
  Integer fineTune;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "1",
      description = "Repeat with N seeds and print mean and spread (default: ${DEFAULT-VALUE}).")
  int seeds;

  @Option(
      names = "--resume",
      description = "Go on from what a stopped run of the same options left.")
  boolean resume;

  @Mixin DataOptions data;
  @Mixin CommonOptions common;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    if (seeds < 1) {
      throw new UserException("--seeds takes 1 or more, got " + seeds + ".");
    }
    Files.createDirectories(out);
    DataSplit split = data.read(common.seed);
    List<Report> reports = new ArrayList<>();
    try (Device device = common.openDevice()) {
      for (int i = 0; i < seeds; i++) {
        Path folder = seeds == 1 ? out : out.resolve("seed-" + (common.seed + i));
        reports.add(study(device, split, common.seed + i, folder));
      }
    }
    if (seeds > 1) {
      System.out.println();
      System.out.print(SeedSummary.table(reports));
    }
    return quick && isMnist() ? assertQuick(reports) : 0;
  }

  private Report study(Device device, DataSplit split, long seed, Path folder) throws IOException {
    Study.Plan plan = plan(seed);
    Files.createDirectories(folder);
    StudyFiles files = StudyFiles.open(folder, plan.identity(split), resume);
    Study study = new Study(device, split, plan, files, common.progress());
    Study.Dense dense = study.dense();
    List<Study.Pruned> cells = study.cells(dense);
    StudyReport measured = new StudyReport(device, List.of(1L, 16L, 64L, 256L));
    if (device.info().simulated()) {
      measured.checkSparse(cells, DataOptions.held(split));
    } else {
      time(measured, cells);
    }
    Report report =
        measured.assemble(plan, split, dense, cells, new StudyReport.Context(command(), files));
    JsonReport.write(report, files.report("report.json"));
    HtmlReport.write(report, files.report("report.html"));
    print(report, files);
    requireExactCounts(report);
    return report;
  }

  private void time(StudyReport measured, List<Study.Pruned> cells) {
    ConsoleProgress progress = common.progress();
    progress.begin("timing", cells.size());
    for (int i = 0; i < cells.size(); i++) {
      if (progress.stopRequested()) {
        throw new StoppedException("stopped; 'secateur demo --resume' goes on from here.");
      }
      measured.measure(cells.get(i));
      progress.update(i + 1, cells.get(i).cell().strategy());
    }
    progress.end(cells.size() + " networks, dense against sparse");
  }

  private Study.Plan plan(long seed) {
    Map<String, Strategy> chosen = new LinkedHashMap<>();
    strategies.forEach(name -> chosen.put(name, strategy(name, seed)));
    List<Double> wanted =
        sparsities != null
            ? sparsities
            : quick ? List.of(0.5, 0.9, 0.98) : List.of(0.5, 0.8, 0.9, 0.95, 0.98);
    for (double s : wanted) {
      if (!(s >= 0 && s < 1)) {
        throw new UserException(
            "--sparsity must be between 0 and 1, got %s; write 0.9 for 90 %%.".formatted(s));
      }
    }
    int trainEpochs = epochs != null ? epochs : quick ? 4 : 20;
    int tuneEpochs = fineTune != null ? fineTune : quick ? 2 : 8;
    return new Study.Plan(
        model,
        chosen,
        List.copyOf(new TreeSet<>(wanted)),
        TrainOptions.adam(trainEpochs, RATE, seed),
        TrainOptions.adam(tuneEpochs, RATE, seed));
  }

  private static Strategy strategy(String name, long seed) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "magnitude" -> Strategy.magnitude();
      case "oneshot" ->
          new Strategy.Scored(
              new Criterion.Magnitude(Norm.L1),
              new Pattern.Unstructured(),
              new Allocation.Global(),
              new Schedule.OneShot());
      case "activation" -> Strategy.activation();
      case "l1" -> Strategy.l1();
      case "gates" -> Strategy.gates();
      case "random" ->
          new Strategy.Scored(
              new Criterion.Random(seed),
              new Pattern.Unstructured(),
              new Allocation.PerLayer(),
              Schedule.Polynomial.defaults());
      default ->
          throw new UserException(
              "there is no strategy '"
                  + name
                  + "'; known: magnitude, activation, l1, gates, random, oneshot.");
    };
  }

  private void print(Report report, StudyFiles files) {
    if (common.json) {
      System.out.println(JsonReport.toText(report));
      return;
    }
    System.out.println();
    System.out.print(ComparisonTables.format(report, TerminalTable.Style.current()));
    report.notes().forEach(note -> System.out.println("note: " + note));
    System.out.println();
    System.out.println("report    " + files.report("report.html"));
    System.out.println("numbers   " + files.report("report.json"));
    System.out.println("networks  " + files.report("models"));
  }

  /** The sparsity that was asked for is the sparsity in the file: to the weight. */
  private static void requireExactCounts(Report report) {
    for (Cell cell : report.cells()) {
      if (cell.onnxNonzeros() != null && cell.onnxNonzeros() != cell.mask().nonzeros()) {
        throw new IllegalStateException(
            "%s at %s: the exported file holds %d nonzeros, the mask keeps %d"
                .formatted(
                    cell.strategy(),
                    cell.requested(),
                    cell.onnxNonzeros(),
                    cell.mask().nonzeros()));
      }
    }
  }

  private boolean isMnist() {
    return data.data == null || data.data.equals(DataOptions.MNIST);
  }

  private int assertQuick(List<Report> reports) {
    for (Report report : reports) {
      double dense = report.dense().test().errorPercent();
      Cell cell = report.cell("magnitude", SHOWN);
      if (dense > 3 || (cell != null && cell.test().errorPercent() > 4)) {
        System.err.printf(
            Locale.ROOT,
            "secateur: the quick run missed its aims: dense %.2f %% (at most 3), 90 %% pruned %s %%"
                + " (at most 4).%n",
            dense,
            cell == null ? "-" : "%.2f".formatted(cell.test().errorPercent()));
        return 1;
      }
    }
    return 0;
  }

  private String command() {
    return "secateur " + String.join(" ", spec.commandLine().getParseResult().originalArgs());
  }
}
