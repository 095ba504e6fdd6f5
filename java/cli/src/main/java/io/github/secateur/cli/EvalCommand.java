package io.github.secateur.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.report.TerminalTable;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur eval}. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = "Measures a classifier on held-out samples: loss, accuracy, macro F1.",
    footer = {
      "",
      "Examples:",
      "  secateur eval pruned.onnx",
      "  secateur eval pruned.onnx --with onnxruntime    and compares the outputs of both",
      "  secateur eval model.onnx --data fashion/ --confusion"
    })
final class EvalCommand implements Callable<Integer> {
  /** What runs the model. */
  enum Engine {
    secateur,
    onnxruntime
  }

  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(
      names = "--with",
      paramLabel = "ENGINE",
      defaultValue = "secateur",
      description = "secateur (default), or onnxruntime: runs both and compares their outputs.")
  Engine engine;

  @Option(names = "--confusion", description = "Also print the confusion matrix.")
  boolean confusion;

  @Mixin DataOptions data;
  @Mixin CommonOptions common;

  @Override
  public Integer call() throws Exception {
    Model model = ModelFiles.read(file);
    Samples samples = DataOptions.held(data.read(common.seed));
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("model", file.toString()).put("samples", samples.count());
    try (Device device = common.openDevice()) {
      Metrics metrics = Evaluator.evaluate(device, model, samples);
      json.set("secateur", Outputs.json(metrics));
      show("secateur", metrics);
      if (engine == Engine.onnxruntime) {
        Tensor ours = Evaluator.predict(device, model, samples.x());
        OnnxRuntimeModel.Outputs theirs = OnnxRuntimeModel.run(file, samples.x());
        Metrics other = theirs.metrics(samples);
        double difference = theirs.largestDifference(ours);
        json.set("onnxruntime", Outputs.json(other));
        json.put("largestDifference", difference);
        show("onnxruntime", other);
        if (!common.json) {
          System.out.printf(
              Locale.ROOT,
              "largest difference of the outputs: %.2g (relative to 1 + |y|)%n",
              difference);
        }
      }
      if (confusion && !common.json) {
        printConfusion(metrics.confusion());
      }
    }
    if (common.json) {
      System.out.println(json.toPrettyString());
    }
    return 0;
  }

  private void show(String name, Metrics m) {
    if (!common.json) {
      System.out.printf(
          Locale.ROOT,
          "%-12s error %.2f %%  loss %.4f  macro F1 %.4f  (%d samples)%n",
          name,
          m.errorPercent(),
          m.loss(),
          m.macroF1(),
          m.samples());
    }
  }

  private static void printConfusion(long[][] counts) {
    List<String> headers = new ArrayList<>(List.of("true \\ predicted"));
    for (int c = 0; c < counts.length; c++) {
      headers.add(Integer.toString(c));
    }
    TerminalTable table = TerminalTable.of(headers.toArray(String[]::new));
    for (int r = 0; r < counts.length; r++) {
      List<String> cells = new ArrayList<>(List.of(Integer.toString(r)));
      for (long count : counts[r]) {
        cells.add(Long.toString(count));
      }
      table.row(cells.toArray(String[]::new));
    }
    System.out.print(table);
  }
}
