package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.sparse.SparseChoice;
import io.github.secateur.sparse.Sparsified;
import io.github.secateur.sparse.Sparsify;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description =
        "Measures a pruned network on this machine, dense against sparse: each layer, then end to"
            + " end. A layer runs sparse only where that was at least 5 %% faster.",
    footer = {
      "",
      "Examples:",
      "  secateur bench pruned.onnx",
      "  secateur bench pruned.onnx --batch 1,64,256 --threads 1"
    })
final class BenchCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,16,64,256",
      description = "Batch sizes (default: ${DEFAULT-VALUE}).")
  List<Long> batches;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      defaultValue = "9",
      description = "Samples of each time; the median is shown (default: ${DEFAULT-VALUE}).")
  int repeats;

  @Mixin CommonOptions common;

  @Override
  public Integer call() throws Exception {
    if (batches.stream().anyMatch(b -> b < 1) || repeats < 1) {
      throw new UserException("--batch and --repeats take numbers of 1 or more.");
    }
    Model model = ModelFiles.read(file);
    try (Device device = common.openDevice()) {
      List<Sparsified> results =
          Sparsify.apply(
              device,
              model,
              batches,
              Sparsify.Options.defaults().withRepeats(repeats).withBreakEven());
      if (common.json) {
        printJson(device, results);
      } else {
        print(device, results);
      }
    }
    return 0;
  }

  private void printJson(Device device, List<Sparsified> results) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", file.toString());
    json.set("device", Outputs.json(device.info()));
    for (Sparsified s : results) {
      ObjectNode row = json.withArray("batches").addObject();
      row.put("batch", s.batch()).put("verdict", s.verdict());
      row.set("denseMicros", Outputs.json(s.dense()));
      row.set("sparseMicros", Outputs.json(s.sparse()));
      row.set("layers", Outputs.json(s.choices()));
    }
    System.out.println(json.toPrettyString());
  }

  private static void print(Device device, List<Sparsified> results) {
    TerminalTable layers =
        TerminalTable.of("layer", "batch", "sparsity", "dense us", "sparse us", "speed-up", "runs");
    for (Sparsified s : results) {
      for (SparseChoice c : s.choices()) {
        layers.row(
            c.layer(),
            Long.toString(c.batch()),
            format("%.1f %%", 100 * c.sparsity()),
            format("%.1f", c.denseMicros()),
            format("%.1f", c.sparseMicros()),
            format("%.2fx", c.speedup()),
            c.chosen() ? c.layout() : "dense");
      }
    }
    System.out.print(layers);
    TerminalTable whole =
        TerminalTable.of("whole network", "batch", "dense us", "sparse us", "speed-up", "spread");
    for (Sparsified s : results) {
      whole.row(
          "",
          Long.toString(s.batch()),
          format("%.1f", s.dense().median()),
          format("%.1f", s.sparse().median()),
          format("%.2fx", s.dense().median() / s.sparse().median()),
          format("±%.1f", s.dense().noise()));
    }
    System.out.print(whole);
    results.forEach(s -> System.out.printf("batch %d: %s%n", s.batch(), s.verdict()));
    System.out.println(device.info().description());
    if ("yes".equals(device.info().details().get("blas-held-back"))) {
      System.out.println(
          "note: OPENBLAS_CORETYPE holds the dense baseline on slower kernels than this processor"
              + " has; unset it, and OPENBLAS_L2_SIZE, to measure.");
    }
  }

  private static String format(String pattern, double value) {
    return String.format(Locale.ROOT, pattern, value);
  }
}
