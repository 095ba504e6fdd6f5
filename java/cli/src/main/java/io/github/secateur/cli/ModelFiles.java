package io.github.secateur.cli;

import io.github.secateur.graph.Model;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.nn.Networks;
import io.github.secateur.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Reads models from the files that commands take. */
final class ModelFiles {
  private ModelFiles() {}

  /** Reads an ONNX file or a checkpoint. */
  static Model read(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new UserException(
          "model file " + file + " does not exist; 'secateur train -o " + file + "' makes one.");
    }
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".ckpt")) {
      return Checkpoint.read(file).model();
    }
    if (name.endsWith(".safetensors")) {
      throw new UserException(
          file
              + " holds weights without a graph; put them into a model with 'secateur export"
              + " MODEL.onnx --weights "
              + file
              + " -o NEW.onnx'.");
    }
    return OnnxReader.read(file);
  }

  /** Reads a file, or builds the untrained network of a name such as {@code lenet-300-100}. */
  static Model readOrBuild(String name, long seed) throws IOException {
    return isNetwork(name) ? Networks.parse(name, seed) : read(Path.of(name));
  }

  /** Whether this is the name of a network, not a file. */
  static boolean isNetwork(String name) {
    return !Files.exists(Path.of(name)) && !name.matches(".*\\.(onnx|ckpt|safetensors)");
  }

  /** Name of a model for people: its file name without the ending. */
  static String title(Path file) {
    return file.getFileName().toString().replaceFirst("\\.[A-Za-z]+$", "");
  }
}
