package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.AtomicFile;
import io.github.secateur.measure.Bench;
import io.github.secateur.measure.BenchReport;
import io.github.secateur.report.BenchHtml;
import io.github.secateur.report.BenchJson;
import io.github.secateur.sparse.Latency;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Sparsify;
import io.github.secateur.sparse.TuneCache;
import io.github.secateur.train.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code secateur bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures on this machine whether pruning pays: dense against every sparse format, beside the"
          + " machine's own peak.",
      "",
      "For a MODEL: the whole network and each of its layers with the zeros that it has; a layer"
          + " runs sparse only where that was at least 5 %% faster. With --sparsity or --pattern,"
          + " or for --shape and --suite: synthetic zeros, and from which sparsity on sparse is"
          + " faster."
    },
    footer = {
      "",
      "useful GFLOP/s counts nonzeros alone, effective all weights: what dense would have to reach",
      "to be as fast. '%% peak' is of the multiply-adds, '%% memory' of the read bandwidth that"
          + " this",
      "machine was measured to have in the same run.",
      "",
      "Examples:",
      "  secateur bench pruned.onnx",
      "  secateur bench pruned.onnx --batch 1,64,256 --html bench.html --json-file bench.json",
      "  secateur bench dense.onnx --sparsity 0.8,0.9      would pruning this model pay?",
      "  secateur bench --shape 2048x2048,512x2048 --pattern random,4x1,2:4 --batch 1,64",
      "  secateur bench --suite transformer --quick",
      "  secateur bench --smtx dlmc/transformer/magnitude_pruning --batch 64"
    })
final class BenchCommand implements Callable<Integer> {
  @Mixin BenchInputs inputs;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      description = "Samples of each time; the median is shown (default: 9; with --quick 3).")
  Integer repeats;

  @Option(names = "--quick", description = "Fewer sparsities, batch sizes and samples.")
  boolean quick;

  @Option(names = "--all", description = "Print every format, not the fastest alone.")
  boolean all;

  @Option(
      names = "--retune",
      description = "Choose how a MODEL's layers run anew, whatever earlier runs measured.")
  boolean retune;

  @Option(
      names = "--no-tune-cache",
      description = "Neither use nor keep times of how a MODEL's layers run.")
  boolean noTuneCache;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a page with charts: speed-up, latency, break-even, roofline.")
  Path html;

  @Option(
      names = "--json-file",
      paramLabel = "FILE",
      description = "Also write the result as JSON.")
  Path jsonFile;

  @Mixin CommonOptions common;

  @Override
  public Integer call() throws Exception {
    int samples = repeats != null ? repeats : quick ? 3 : 9;
    if (samples < 1) {
      throw new UserException("--repeats takes a number of 1 or more, not " + samples + ".");
    }
    if (retune && noTuneCache) {
      throw new UserException("--retune and --no-tune-cache exclude each other; leave out one.");
    }
    for (Path output : outputs()) {
      Outputs.requireWritable(output);
    }
    Model model = inputs.model();
    Bench.Plan plan = inputs.plan(model, samples, quick, common);
    try (Device device = common.openDevice()) {
      Latency.refuseSimulated(device.info());
      ConsoleProgress progress = common.progress();
      Provenance provenance = Provenance.of(device, common.seed, describe(samples), Map.of());
      List<Sparsified> whole =
          inputs.runs(model) ? wholeModel(device, model, plan, samples, progress) : List.of();
      write(Bench.run(device, plan, whole, provenance, progress));
    }
    return 0;
  }

  private List<Path> outputs() {
    List<Path> outputs = new ArrayList<>();
    if (html != null) {
      outputs.add(html);
    }
    if (jsonFile != null) {
      outputs.add(jsonFile);
    }
    return outputs;
  }

  private Map<String, String> describe(int samples) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("samples of each time", Integer.toString(samples));
    options.put("dense products in TF32", common.tf32 ? "allowed" : "no");
    return options;
  }

  private Sparsify.Options tuning(int samples) {
    TuneCache.Use use =
        noTuneCache ? TuneCache.Use.OFF : retune ? TuneCache.Use.RENEW : TuneCache.Use.KEEP;
    Sparsify.Options options =
        Sparsify.Options.defaults().withRepeats(samples).with(TuneCache.standard().with(use));
    return quick ? options : options.withBreakEven();
  }

  private List<Sparsified> wholeModel(
      Device device, Model model, Bench.Plan plan, int samples, ConsoleProgress progress) {
    Sparsify.Options options = tuning(samples);
    List<Sparsified> whole = new ArrayList<>();
    progress.begin("choosing how layers run", plan.batches().size());
    for (long batch : plan.batches()) {
      BenchInputs.checkStop(progress);
      progress.update(whole.size(), "batch " + batch);
      whole.addAll(Sparsify.apply(device, model, List.of(batch), options));
    }
    progress.end(whole.size() + (whole.size() == 1 ? " batch size" : " batch sizes"));
    return whole;
  }

  private void write(BenchReport report) throws Exception {
    ObjectNode json = BenchJson.toTree(report);
    if (jsonFile != null) {
      AtomicFile.write(jsonFile, json.toPrettyString() + "\n");
    }
    if (html != null) {
      BenchHtml.write(report, html);
    }
    if (common.json) {
      System.out.println(json.toPrettyString());
      return;
    }
    new BenchPrinter(report, all).print(System.out);
    outputs().forEach(file -> System.out.println("wrote " + file));
  }
}
