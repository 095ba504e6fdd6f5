package io.github.secateur.cli;

import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.io.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code secateur export}. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description =
        "Writes a network in another form: ONNX from a checkpoint, safetensors, shrunk, sparse.",
    footer = {
      "",
      "Examples:",
      "  secateur export run.ckpt -o model.onnx",
      "  secateur export pruned.onnx --shrink -o small.onnx",
      "  secateur export pruned.onnx --sparse -o sparse.onnx",
      "  secateur export pruned.onnx -o weights.safetensors",
      "  secateur export model.onnx --weights new.safetensors -o out.onnx"
    })
final class ExportCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a checkpoint (.ckpt).")
  Path file;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "FILE.onnx or FILE.safetensors (weights only).")
  Path output;

  @Option(names = "--shrink", description = "Cut out neurons that are pruned whole.")
  boolean shrink;

  @Option(names = "--sparse", description = "Store pruned weights as sparse initializers (ONNX).")
  boolean sparse;

  @Option(
      names = "--weights",
      paramLabel = "FILE.safetensors",
      description = "Take the weights from this file; names and shapes must match the model's.")
  Path weights;

  @Override
  public Integer call() throws Exception {
    Outputs.requireWritable(output);
    Model model = ModelFiles.read(file);
    if (weights != null) {
      model = Weights.read(weights, model);
    }
    if (shrink) {
      model = Shrinker.shrink(model);
    }
    String name = output.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".onnx")) {
      OnnxWriter.write(model, output, Exports.options(sparse));
    } else if (name.endsWith(".safetensors")) {
      Weights.write(model, output);
    } else {
      throw new UserException(
          "the output's ending says the format: .onnx or .safetensors, got " + output + ".");
    }
    System.out.printf("%s: %s%n", output, Outputs.bytes(Files.size(output)));
    return 0;
  }
}
