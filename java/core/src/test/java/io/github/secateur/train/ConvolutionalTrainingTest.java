package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Training of networks with convolutions and batch normalization. */
class ConvolutionalTrainingTest {
  private static final String RESNET = "resnet-8:1x8x8";

  @TempDir private Path folder;

  /** Whether a pixel of an image is bright: by label, row, column and a number drawn for it. */
  private interface Figure {
    boolean bright(int label, int row, int column, int place);
  }

  /** Images [n, size, size] of noise with a figure. */
  private static Samples images(String name, int n, int size, long seed, Figure figure) {
    Random random = new Random(seed);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(n, size, size));
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      int place = random.nextInt(size);
      for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
          float light = figure.bright(labels[i], r, c, place) ? 1 : 0;
          x.setFloat((i * size + r) * size + c, light + (float) (0.2 * random.nextGaussian()));
        }
      }
    }
    String hash = new Digest().tensor("x", x).ints(labels).hex();
    Tensor all = Tensor.ofInts(Shape.of(n), labels);
    return new Samples(x, all, 3, hash, "%s %d/%d".formatted(name, n, seed));
  }

  /** A bar anywhere: across, upright, or along the diagonal. */
  private static Samples bars(int n, int size, long seed) {
    return images(
        "bars",
        n,
        size,
        seed,
        (label, r, c, place) ->
            switch (label) {
              case 0 -> r == place;
              case 1 -> c == place;
              default -> (r + c) % size == place;
            });
  }

  /** A bright half: left, right or upper. */
  private static Samples halves(int n, int size, long seed) {
    return images(
        "halves",
        n,
        size,
        seed,
        (label, r, c, place) ->
            switch (label) {
              case 0 -> c < size / 2;
              case 1 -> c >= size / 2;
              default -> r < size / 2;
            });
  }

  private static Trainer trainer(Device device, TrainOptions options, TrainHook... hooks) {
    DataSplit data =
        new DataSplit(bars(50, 8, 1), bars(21, 8, 2), null); // the last batch of an epoch is short
    return new Trainer(device, Networks.parse(RESNET, 3), data, options, List.of(hooks));
  }

  @Test
  void aResidualNetworkLearns() {
    try (Device device = Toy.device()) {
      DataSplit data = new DataSplit(bars(120, 8, 1), bars(60, 8, 2), null);
      TrainOptions options = Toy.options(8, 20, new Optimizer.Sgd(0.9f, 1e-4f, false), 0.05f);
      TrainResult result =
          new Trainer(device, Networks.parse(RESNET, 3), data, options, List.of()).run();
      assertTrue(result.validation().accuracy() > 0.9, result.history().toString());
    }
  }

  @Test
  void leNetLearns() {
    try (Device device = Toy.device()) {
      DataSplit data = new DataSplit(halves(60, 28, 1), halves(30, 28, 2), null);
      TrainResult result =
          new Trainer(
                  device,
                  Networks.parse("lenet-5-caffe", 3),
                  data,
                  Toy.adam(3, 15, 0.002f),
                  List.of())
              .run();
      assertTrue(result.validation().accuracy() > 0.9, result.history().toString());
    }
  }

  @Test
  void runningStatisticsMoveButAreNotTrained() {
    try (Device device = Toy.device()) {
      TrainOptions options = Toy.options(1, 20, new Optimizer.Sgd(0.9f, 0.1f, false), 0.01f);
      Model before = Networks.parse(RESNET, 3);
      assertTrue(
          TrainingGraph.of(before, options).trained().stream()
              .noneMatch(name -> name.matches(".*\\.(mean|variance)")));
      assertTrue(TrainingGraph.of(before, options).trained().contains("bn1.scale"));
      Model after = trainer(device, options).run().model();
      for (String name : List.of("bn1.mean", "bn1.variance", "stage3.block1.bn2.mean")) {
        assertFalse(
            before.graph().initializer(name).bitEquals(after.graph().initializer(name)), name);
      }
    }
  }

  @Test
  void theModelIsTheOneThatWasEvaluated() {
    try (Device device = Toy.device()) {
      TrainResult result = trainer(device, Toy.adam(2, 20, 0.01f)).run();
      Metrics again = Evaluator.evaluate(device, result.model(), bars(21, 8, 2));
      assertEquals(result.validation().loss(), again.loss());
      assertEquals(result.validation().accuracy(), again.accuracy());
    }
  }

  static Stream<Optimizer> optimizers() {
    return Stream.of(new Optimizer.Sgd(0.9f, 0.001f, true), Optimizer.Adam.defaults());
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void goesOnBitForBitFromACheckpoint(Optimizer optimizer) throws Exception {
    TrainOptions options = Toy.options(2, 20, optimizer, 0.01f);
    Path file = folder.resolve("run.checkpoint");
    try (Device device = Toy.device()) {
      String hash = Checkpoint.weightsHash(trainer(device, options).run().model());
      for (int stop = 1; stop < 6; stop += 2) {
        int last = stop;
        Trainer stopped =
            trainer(device, options)
                .checkpoint(new Checkpointing(file, 0, 0, 1))
                .progress(
                    new Progress() {
                      private int done;

                      @Override
                      public boolean stopRequested() {
                        return ++done == last;
                      }
                    });
        assertThrows(StoppedException.class, stopped::run);
        TrainResult resumed = trainer(device, options).resume(Checkpoint.read(file)).run();
        assertEquals(hash, Checkpoint.weightsHash(resumed.model()), "stopped after " + stop);
      }
    }
  }

  /** Hooks decide whether steps are recorded. */
  record Watching(boolean repeatable) implements TrainHook {
    @Override
    public String name() {
      return "watching";
    }
  }

  @Test
  void recordedStepsEqualEnqueuedOnes() {
    try (Device device = Toy.device()) {
      TrainOptions options = Toy.adam(3, 10, 0.01f);
      Model eager = trainer(device, options, new Watching(false)).run().model();
      Model recorded = trainer(device, options, new Watching(true)).run().model();
      assertEquals(Checkpoint.weightsHash(eager), Checkpoint.weightsHash(recorded));
    }
  }

  @Test
  void samplesOfAnotherSizeAreRefusedInOneSentence() {
    try (Device device = Toy.device()) {
      Trainer trainer =
          new Trainer(
              device,
              Networks.parse("lenet-5-caffe", 3),
              DataSplit.of(bars(9, 8, 1)),
              Toy.adam(1, 3, 0.01f),
              List.of());
      String message = assertThrows(IllegalArgumentException.class, trainer::run).getMessage();
      assertTrue(message.contains("takes 784 numbers a sample [1, 28, 28]"), message);
      assertTrue(message.contains("bars 9/1 has 64 [8, 8]"), message);
    }
  }
}
