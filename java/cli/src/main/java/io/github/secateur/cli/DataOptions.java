package io.github.secateur.cli;

import io.github.secateur.cli.data.Mnist;
import io.github.secateur.io.DataFolder;
import io.github.secateur.io.Samples;
import io.github.secateur.train.DataSplit;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where samples come from. */
final class DataOptions {
  /** Name of the bundled data set. */
  static final String MNIST = "mnist";

  @Option(
      names = "--data",
      paramLabel = "mnist|FOLDER",
      description =
          "Samples: mnist (bundled), or a folder of IDX files (train-images-idx3-ubyte[.gz], ...)"
              + " or of x_train.npy, y_train.npy, x_test.npy, y_test.npy.")
  String data;

  @Option(
      names = "--validation",
      paramLabel = "FRACTION",
      defaultValue = "0",
      description =
          "Fraction of the training samples set aside for validation (default: ${DEFAULT-VALUE}).")
  double validation;

  /** Whether samples were given. */
  boolean given() {
    return data != null;
  }

  /** Reads the samples and sets validation samples aside; {@code mnist} when none were given. */
  DataSplit read(long seed) throws IOException {
    DataFolder folder =
        data == null || data.equals(MNIST) ? Mnist.load() : DataFolder.read(Path.of(data));
    DataSplit split = DataSplit.split(folder.train(), validation, seed);
    return folder.test().map(split::withTest).orElse(split);
  }

  /** Test samples where there are any, else the validation samples, else the training samples. */
  static Samples held(DataSplit split) {
    if (split.test() != null) {
      return split.test();
    }
    return split.validation() != null ? split.validation() : split.train();
  }
}
