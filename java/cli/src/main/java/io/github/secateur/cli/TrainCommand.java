package io.github.secateur.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.nn.Standardization;
import io.github.secateur.recipe.FitSettings;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.Metrics;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code secateur train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = "Trains a network and writes it as ONNX.",
    footer = {
      "",
      "Examples:",
      "  secateur train -o dense.onnx",
      "  secateur train --model mlp:784-512-256-10:tanh --epochs 10 -o mlp.onnx",
      "  secateur train --data fashion/ --validation 0.1 --patience 3 -o fashion.onnx",
      "  secateur train -o dense.onnx --resume       go on after Ctrl-C or a crash"
    })
final class TrainCommand implements Callable<Integer> {
  private static final int DEFAULT_EPOCHS = 20;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = "lenet-300-100",
      description =
          "simple-net (784-64-32-10), lenet-300-100 (default), mlp:SIZES[:ACTIVATION] such as"
              + " mlp:784-512-256-10:gelu, lenet-5-caffe, resnet-DEPTH[:CxHxW] such as resnet-8"
              + " (1x28x28) or resnet-20:3x32x32, or cnn:CxHxW:LAYERS such as"
              + " cnn:1x28x28:c16-m-c32s2b-g-10.")
  String model;

  @Option(
      names = "--standardize",
      description =
          "Let the network bring its inputs to mean 0 and deviation 1 over the training samples.")
  boolean standardize;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE.onnx",
      required = true,
      description = "Where to write the trained network.")
  Path output;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE.ckpt",
      description = "Where the run saves itself as it goes on (default: OUTPUT with .ckpt).")
  Path checkpoint;

  @Option(
      names = "--resume",
      description = "Go on from the checkpoint of the same run, bit for bit, if there is one.")
  boolean resume;

  @Mixin DataOptions data;
  @Mixin FitOptions fit;
  @Mixin CommonOptions common;
  @Spec CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    TrainOptions options = FitSettings.options(Flags.of(spec, "fit"), DEFAULT_EPOCHS, common.seed);
    Model network = Networks.parse(model, common.seed);
    DataSplit split = data.read(common.seed);
    if (standardize) {
      network = Standardization.of(split.train().x()).before(network);
    }
    Path file = checkpoint != null ? checkpoint : Outputs.sibling(output, ".ckpt");
    Outputs.requireWritable(output);
    try (Device device = common.openDevice()) {
      Trainer trainer =
          new Trainer(device, network, split, options, List.of())
              .checkpoint(Checkpointing.to(file))
              .progress(common.progress());
      if (resume && Files.exists(file)) {
        trainer.resume(Checkpoint.read(file));
      }
      TrainResult result = trainer.run();
      OnnxWriter.write(result.model(), output);
      Metrics test = Evaluator.evaluate(device, result.model(), DataOptions.held(split));
      print(result, test);
    }
    if (checkpoint == null) {
      Files.deleteIfExists(file);
    }
    return 0;
  }

  private void print(TrainResult result, Metrics test) throws Exception {
    if (common.json) {
      ObjectNode json = new ObjectMapper().createObjectNode();
      json.put("model", model).put("output", output.toString()).put("steps", result.steps());
      json.put("weightsHash", Checkpoint.weightsHash(result.model()));
      json.set("test", Outputs.json(test));
      System.out.println(json.toPrettyString());
      return;
    }
    System.out.printf(
        Locale.ROOT,
        "%s: error %.2f %% on %d held-out samples (loss %.4f, macro F1 %.4f)%nwritten to %s%n",
        model,
        test.errorPercent(),
        test.samples(),
        test.loss(),
        test.macroF1(),
        output);
  }
}
