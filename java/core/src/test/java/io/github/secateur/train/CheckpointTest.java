package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointTest {
  @TempDir Path folder;
  private Device device;
  private Path file;

  @BeforeEach
  void open() {
    device = Toy.device();
    file = folder.resolve("run.checkpoint");
  }

  @AfterEach
  void close() {
    device.close();
  }

  static Stream<TrainOptions> runs() {
    return Stream.of(
        SampleRun.options(new Optimizer.Sgd(0, 0.001f, false), 2),
        SampleRun.options(new Optimizer.Sgd(0.9f, 0.001f, true), 3),
        SampleRun.options(Optimizer.Adam.defaults(), 3),
        SampleRun.options(new Optimizer.Adam(0.9f, 0.999f, 1e-8f, 0.05f, true), 2),
        SampleRun.options(Optimizer.Adam.defaults(), 12).withPatience(2).withLearningRate(FAST));
  }

  /** Overfits soon, so that patience runs out. */
  private static final LearningRate FAST = new LearningRate.Constant(0.3f);

  @ParameterizedTest
  @MethodSource("runs")
  void goesOnBitForBitFromEveryStep(TrainOptions options) throws IOException {
    TrainResult whole = SampleRun.trainer(device, options).run();
    String hash = Checkpoint.weightsHash(whole.model());
    assertEquals(options.patience() > 0, whole.stoppedEarly());
    for (long stop = 1; stop < whole.steps(); stop++) {
      stopAfter(stop, SampleRun.trainer(device, options));
      Checkpoint checkpoint = Checkpoint.read(file);
      assertEquals(stop, checkpoint.step());
      assertFalse(checkpoint.finished());
      TrainResult resumed = SampleRun.trainer(device, options).resume(checkpoint).run();
      assertEquals(hash, Checkpoint.weightsHash(resumed.model()), "stopped after " + stop);
      assertSameResult(whole, resumed);
    }
  }

  private void stopAfter(long steps, Trainer trainer) {
    trainer
        .checkpoint(new Checkpointing(file, 0, 0, 1))
        .progress(
            new Progress() {
              private long done;

              @Override
              public boolean stopRequested() {
                done++;
                return done == steps;
              }
            });
    Exception e = assertThrows(StoppedException.class, trainer::run);
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  /** All but the seconds, which are those of the process. */
  private static void assertSameResult(TrainResult whole, TrainResult resumed) {
    assertEquals(whole.steps(), resumed.steps());
    assertEquals(whole.stoppedEarly(), resumed.stoppedEarly());
    assertEquals(whole.validation().loss(), resumed.validation().loss());
    assertEquals(whole.history().size(), resumed.history().size());
    for (int i = 0; i < whole.history().size(); i++) {
      EpochRecord a = whole.history().get(i);
      EpochRecord b = resumed.history().get(i);
      assertEquals(
          a,
          new EpochRecord(
              b.epoch(),
              b.trainLoss(),
              b.validationLoss(),
              b.validationAccuracy(),
              b.learningRate(),
              b.sparsity(),
              a.seconds()));
    }
  }

  @Test
  void repeatsTheResultOfAFinishedRun() throws IOException {
    TrainOptions options =
        SampleRun.options(Optimizer.Adam.defaults(), 12).withPatience(2).withLearningRate(FAST);
    TrainResult whole =
        SampleRun.trainer(device, options).checkpoint(new Checkpointing(file, 3, 0, 1)).run();
    Checkpoint last = Checkpoint.read(file);
    assertTrue(last.finished());
    TrainResult again = SampleRun.trainer(device, options).resume(last).run();
    assertEquals(Checkpoint.weightsHash(whole.model()), Checkpoint.weightsHash(again.model()));
    assertSameResult(whole, again);
  }

  @Test
  void holdsModelWeightsAndProvenance() throws IOException {
    TrainOptions options = SampleRun.options(Optimizer.Adam.defaults(), 2);
    stopAfter(11, SampleRun.trainer(device, options));
    Checkpoint checkpoint = Checkpoint.read(file);
    assertEquals(
        Checkpoint.weightsHash(SampleRun.model()),
        Checkpoint.weightsHash(checkpoint.initialModel()));
    Model model = checkpoint.model();
    assertTrue(model.masks().get("fc1.weight").prunedCount() > 0);
    Metrics metrics = Evaluator.evaluate(device, model, SampleRun.data().validation());
    assertTrue(metrics.accuracy() > 0.5);
    assertEquals(1, checkpoint.history().size());
    Provenance provenance = checkpoint.provenance();
    assertEquals(42, provenance.seed());
    assertEquals("16", provenance.options().get("batch size"));
    assertEquals(SampleRun.data().train().sha256(), provenance.data().get("training"));
    assertTrue(provenance.device().startsWith("cpu: "), provenance.device());
    assertTrue(provenance.java().contains(System.getProperty("java.version")));
  }

  @Test
  void refusesAnotherRun() throws IOException {
    TrainOptions options = SampleRun.options(Optimizer.Adam.defaults(), 2);
    stopAfter(5, SampleRun.trainer(device, options));
    Checkpoint checkpoint = Checkpoint.read(file);
    Model model = SampleRun.model();
    DataSplit data = SampleRun.data();
    List<TrainHook> hooks = List.of(new SampleRun.Nibbler());
    refuses("seed was 42 and is now 43", checkpoint, model, data, options.withSeed(43), hooks);
    refuses("epochs was 2 and is now 3", checkpoint, model, data, options.withEpochs(3), hooks);
    refuses(
        "optimizer was Adam[",
        checkpoint,
        model,
        data,
        SampleRun.options(new Optimizer.Sgd(0, 0, false), 2),
        hooks);
    refuses(
        "data for training was",
        checkpoint,
        model,
        new DataSplit(Toy.blobs(118, 9), data.validation(), null),
        options,
        hooks);
    refuses(
        "data for validation was", checkpoint, model, DataSplit.of(data.train()), options, hooks);
    refuses("hooks were [nibbler] and are now []", checkpoint, model, data, options, List.of());
    refuses("weights were", checkpoint, Toy.mlp(11, 4, 24, 3), data, options, hooks, "node");
    Model other = model.copy();
    other
        .graph()
        .initializers()
        .compute("fc2.weight", (name, t) -> Toy.mlp(5, 24, 12).graph().initializer("fc1.weight"));
    refuses("'fc2.weight' starts from other values", checkpoint, other, data, options, hooks);
  }

  private void refuses(
      String difference,
      Checkpoint checkpoint,
      Model model,
      DataSplit data,
      TrainOptions options,
      List<TrainHook> hooks,
      String... orDifference) {
    Trainer trainer = new Trainer(device, model, data, options, hooks);
    String message =
        assertThrows(IllegalArgumentException.class, () -> trainer.resume(checkpoint)).getMessage();
    assertTrue(
        message.contains(difference) || Arrays.stream(orDifference).anyMatch(message::contains),
        message);
    assertTrue(message.startsWith(file.toString()), message);
  }

  @Test
  void refusesTruncatedFiles() throws IOException {
    stopAfter(10, SampleRun.trainer(device, SampleRun.options(Optimizer.Adam.defaults(), 2)));
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(1);
    for (int i = 0; i < 60; i++) {
      int length = i < 20 ? i : random.nextInt(whole.length);
      Files.write(file, Arrays.copyOf(whole, length));
      String message =
          assertThrows(IOException.class, () -> Checkpoint.read(file), "length " + length)
              .getMessage();
      assertTrue(message.contains(file.toString()), message);
    }
  }

  @Test
  void noticesEveryDamagedByte() throws IOException {
    stopAfter(10, SampleRun.trainer(device, SampleRun.options(Optimizer.Adam.defaults(), 2)));
    byte[] whole = Files.readAllBytes(file);
    String hash = Checkpoint.weightsHash(Checkpoint.read(file).model());
    Random random = new Random(2);
    int noticed = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged = whole.clone();
      damaged[i < 100 ? i : random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, damaged);
      Supplier<String> read = () -> readHash(file);
      String result = read.get();
      if (result.startsWith("!")) {
        noticed++;
        assertTrue(result.contains(file.toString()), result);
      } else {
        assertEquals(hash, result); // white space between the header's tokens
      }
    }
    assertTrue(noticed > 290, noticed + " of 300 noticed");
  }

  private static String readHash(Path file) {
    try {
      return Checkpoint.weightsHash(Checkpoint.read(file).model());
    } catch (IOException e) {
      return "!" + e.getMessage();
    }
  }

  @Test
  void refusesOtherFiles() throws IOException {
    assertThrows(IOException.class, () -> Checkpoint.read(folder.resolve("missing")));
    Files.writeString(file, "not a checkpoint at all, only some text that is long enough");
    String message = assertThrows(IOException.class, () -> Checkpoint.read(file)).getMessage();
    assertTrue(message.contains(file.toString()), message);
  }

  @Test
  void keepsOlderCheckpoints() throws IOException {
    TrainOptions options = SampleRun.options(Optimizer.Adam.defaults(), 2);
    SampleRun.trainer(device, options).checkpoint(new Checkpointing(file, 4, 0, 3)).run();
    assertEquals(16, Checkpoint.read(file).step());
    assertEquals(12, Checkpoint.read(folder.resolve("run.checkpoint.1")).step());
    assertEquals(8, Checkpoint.read(folder.resolve("run.checkpoint.2")).step());
    try (Stream<Path> all = Files.list(folder)) {
      assertEquals(3, all.count());
    }
  }

  @Test
  void hashesWeightsAndMasks() {
    Model model = SampleRun.model();
    String hash = Checkpoint.weightsHash(model);
    assertEquals(hash, Checkpoint.weightsHash(SampleRun.model()));
    Model masked = model.copy();
    masked
        .masks()
        .put(
            "fc1.weight",
            io.github.secateur.tensor.Mask.ones(model.graph().initializer("fc1.weight").shape()));
    assertFalse(hash.equals(Checkpoint.weightsHash(masked)));
  }
}
