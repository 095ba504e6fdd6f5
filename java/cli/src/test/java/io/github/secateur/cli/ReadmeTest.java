package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.io.DataFolder;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.nn.Networks;
import io.github.secateur.prune.PruneOptions;
import io.github.secateur.prune.PruneResult;
import io.github.secateur.prune.Pruning;
import io.github.secateur.prune.Strategy;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.Evaluator;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's examples in Java and C are code that is compiled and run. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..", "..");

  static PruneResult example(Path folder, Path output) throws Exception {
    // README
    try (Device device = Devices.open("auto", DeviceOptions.defaults())) {
      DataFolder samples = DataFolder.read(folder);
      DataSplit data = DataSplit.of(samples.train());
      TrainOptions options = TrainOptions.adam(8, 1.2e-3f, 1);
      Model dense = Networks.parse("lenet-300-100", 1);
      dense = new Trainer(device, dense, data, options, List.of()).run().model();
      PruneOptions prune = new PruneOptions(Strategy.magnitude(), 0.9, options);
      PruneResult pruned = Pruning.run(device, dense, data, prune);
      System.out.println(Evaluator.evaluate(device, pruned.model(), samples.test().get()));
      OnnxWriter.write(pruned.model(), output);
      // END
      return pruned;
    }
  }

  @Test
  void javaExampleRuns(@TempDir Path folder) throws Exception {
    Path output = folder.resolve("pruned.onnx");
    PruneResult pruned = example(Blobs.write(folder.resolve("blobs"), 600, 200), output);
    assertEquals(0.9, pruned.reached(), 1e-5);
    assertTrue(OnnxReader.read(output).graph().initializers().containsKey("fc1.weight"));
  }

  @Test
  void javaExampleIsTheReadmes() throws Exception {
    String source =
        Files.readString(Path.of("src/test/java/io/github/secateur/cli/ReadmeTest.java"));
    String code = between(source, "// README\n", "// END\n");
    assertEquals(lines(code), lines(between(readme(), "```java\n", "```")).replaceAll("\n}$", ""));
  }

  @Test
  void cExampleIsTheReadmes() throws Exception {
    String source = Files.readString(ROOT.resolve("native/test/test_readme.c"));
    String shown = between(readme(), "```c\n", "```");
    assertTrue(lines(source).contains(lines(shown)), "README's C example is not in test_readme.c");
  }

  private static String readme() throws Exception {
    return Files.readString(ROOT.resolve("README.md"));
  }

  private static String between(String text, String begin, String end) {
    int from = text.indexOf(begin) + begin.length();
    return text.substring(from, text.indexOf(end, from));
  }

  private static String lines(String code) {
    return String.join("\n", code.lines().map(String::strip).filter(l -> !l.isEmpty()).toList());
  }
}
