package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TrainerTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Toy.device();
  }

  /** Closing fails when a buffer leaked. */
  @AfterEach
  void close() {
    device.close();
  }

  private Trainer trainer(Model model, DataSplit data, TrainOptions options, TrainHook... hooks) {
    return new Trainer(device, model, data, options, List.of(hooks));
  }

  @Test
  void learnsExclusiveOr() {
    TrainResult result =
        trainer(Toy.mlp(5, 2, 16, 2), DataSplit.of(Toy.xor()), Toy.adam(300, 4, 0.02f)).run();
    Metrics metrics = Evaluator.evaluate(device, result.model(), Toy.xor());
    assertEquals(1, metrics.accuracy());
    assertTrue(metrics.loss() < 0.05, "loss " + metrics.loss());
    assertEquals(300, result.steps());
    assertNull(result.validation());
  }

  @Test
  void learnsBlobsAndReportsTheValidation() {
    DataSplit data = DataSplit.split(Toy.blobs(600, 1), 0.2, 3);
    TrainResult result = trainer(Toy.mlp(1, 4, 12, 3), data, Toy.adam(10, 32, 0.01f)).run();
    Metrics fresh = Evaluator.evaluate(device, result.model(), data.validation());
    assertTrue(fresh.accuracy() > 0.85, "accuracy " + fresh.accuracy());
    assertEquals(fresh.accuracy(), result.validation().accuracy());
    assertEquals(fresh.loss(), result.validation().loss());
    assertEquals(10, result.history().size());
    assertEquals(10 * 15, result.steps());
    EpochRecord last = result.history().getLast();
    assertEquals(fresh.loss(), last.validationLoss());
    assertTrue(last.trainLoss() < result.history().getFirst().trainLoss());
    assertFalse(result.stoppedEarly());
  }

  @Test
  void leavesTheGivenModelAsItWas() {
    Model model = Toy.mlp(1, 4, 12, 3);
    String before = Checkpoint.weightsHash(model);
    TrainResult result =
        trainer(model, DataSplit.of(Toy.blobs(60, 1)), Toy.adam(1, 32, 0.01f)).run();
    assertEquals(before, Checkpoint.weightsHash(model));
    assertFalse(before.equals(Checkpoint.weightsHash(result.model())));
  }

  @Test
  void repeatsItselfBitForBit() {
    String hash = null;
    for (int repeat = 0; repeat < 2; repeat++) {
      TrainResult result =
          trainer(Toy.mlp(1, 4, 12, 3), DataSplit.of(Toy.blobs(100, 1)), Toy.adam(3, 32, 0.01f))
              .run();
      String now = Checkpoint.weightsHash(result.model());
      assertTrue(hash == null || hash.equals(now));
      hash = now;
    }
  }

  @Test
  void takesEveryBatchSize() {
    for (int batch : new int[] {1, 7, 50, 64}) {
      TrainResult result =
          trainer(Toy.mlp(1, 4, 3), DataSplit.of(Toy.blobs(50, 1)), Toy.adam(2, batch, 0.01f))
              .run();
      assertEquals(2L * ((50 + batch - 1) / batch), result.steps(), "batch " + batch);
    }
  }

  @Test
  void stopsEarlyWithTheBestWeights() {
    DataSplit data = new DataSplit(Toy.blobs(24, 1), Toy.blobs(300, 2), null);
    TrainOptions overfitting = Toy.adam(200, 8, 0.05f).withPatience(4);
    TrainResult result = trainer(Toy.mlp(1, 4, 32, 3), data, overfitting).run();
    assertTrue(result.stoppedEarly());
    List<EpochRecord> history = result.history();
    assertTrue(history.size() < 200);
    int best = 0;
    for (int i = 0; i < history.size(); i++) {
      if (history.get(i).validationLoss() < history.get(best).validationLoss()) {
        best = i;
      }
    }
    assertEquals(best + 4, history.size() - 1);
    assertEquals(history.get(best).validationLoss(), result.validation().loss());
  }

  @Test
  void saysWhenItDiverges() {
    float[] huge = new float[40];
    java.util.Arrays.fill(huge, 1e30f);
    Samples samples = Toy.samples("huge", huge, 4, new int[] {0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, 3);
    Exception e =
        assertThrows(
            DivergedException.class,
            trainer(
                    Toy.mlp(1, 4, 8, 3),
                    DataSplit.of(samples),
                    Toy.options(30, 5, new Optimizer.Sgd(0, 0, false), 1e8f))
                ::run);
    assertTrue(e.getMessage().contains("learning rate 1.0E8"), e.getMessage());
    assertTrue(e.getMessage().contains("step "), e.getMessage());
  }

  @Test
  void refusesWhatCannotBeTrained() {
    DataSplit data = DataSplit.of(Toy.blobs(9, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> trainer(Toy.mlp(1, 4, 3), data, Toy.adam(1, 4, 0.1f).withPatience(1)));
    TrainOptions frozen =
        Toy.adam(1, 4, 0.1f).withRules(List.of(new TrainOptions.Rule("", 0, true)));
    assertThrows(IllegalArgumentException.class, trainer(Toy.mlp(1, 4, 3), data, frozen)::run);
    assertThrows(
        IllegalArgumentException.class, trainer(Toy.mlp(1, 5, 3), data, Toy.adam(1, 4, 0.1f))::run);
    TrainHook hook = new Recorder(new ArrayList<>());
    assertThrows(
        IllegalArgumentException.class,
        () -> trainer(Toy.mlp(1, 4, 3), data, Toy.adam(1, 4, 0.1f), hook, hook));
  }

  @Test
  void callsHooksInOrder() {
    List<String> calls = new ArrayList<>();
    trainer(
            Toy.mlp(1, 4, 3),
            DataSplit.of(Toy.blobs(10, 1)),
            Toy.adam(2, 5, 0.1f),
            new Recorder(calls))
        .run();
    assertEquals(
        List.of(
            "start 0/0",
            "before 0/0",
            "gradients 0/0",
            "after 0/0",
            "before 1/0",
            "gradients 1/0",
            "after 1/0",
            "epoch 1/0",
            "before 2/1",
            "gradients 2/1",
            "after 2/1",
            "before 3/1",
            "gradients 3/1",
            "after 3/1",
            "epoch 3/1",
            "finish"),
        calls);
  }

  @Test
  void finishesHooksAfterAnError() {
    List<String> calls = new ArrayList<>();
    TrainHook failing =
        new TrainHook() {
          @Override
          public String name() {
            return "failing";
          }

          @Override
          public void afterStep(Training training) {
            throw new IllegalStateException("on purpose");
          }
        };
    Trainer trainer =
        trainer(
            Toy.mlp(1, 4, 3),
            DataSplit.of(Toy.blobs(10, 1)),
            Toy.adam(2, 5, 0.1f),
            new Recorder(calls),
            failing);
    assertEquals(
        "on purpose", assertThrows(IllegalStateException.class, trainer::run).getMessage());
    assertEquals("finish", calls.getLast());
  }

  @Test
  void reportsProgress() {
    List<String> notes = new ArrayList<>();
    trainer(Toy.mlp(1, 4, 3), DataSplit.of(Toy.blobs(600, 1)), Toy.adam(2, 5, 0.1f))
        .progress(
            new Progress() {
              @Override
              public void begin(String stage, long total) {
                notes.add(stage + " " + total);
              }

              @Override
              public void update(long done, String note) {
                notes.add(done + " " + note.replaceAll("[.0-9]+$", "X"));
              }

              @Override
              public void end(String summary) {
                notes.add("end");
              }
            })
        .run();
    assertEquals(
        List.of(
            "training 240",
            "50 epoch 1/2, loss X",
            "100 epoch 1/2, loss X",
            "120 epoch 1/2, loss X",
            "170 epoch 2/2, loss X",
            "220 epoch 2/2, loss X",
            "240 epoch 2/2, loss X",
            "end"),
        notes);
  }

  private record Recorder(List<String> calls) implements TrainHook {
    @Override
    public String name() {
      return "recorder";
    }

    @Override
    public void start(Training t) {
      note("start", t);
    }

    @Override
    public void beforeStep(Training t) {
      note("before", t);
    }

    @Override
    public void afterGradients(Training t) {
      note("gradients", t);
    }

    @Override
    public void afterStep(Training t) {
      note("after", t);
    }

    @Override
    public void afterEpoch(Training t) {
      note("epoch", t);
    }

    @Override
    public void finish() {
      calls.add("finish");
    }

    private void note(String what, Training t) {
      calls.add(what + " " + t.step() + "/" + t.epoch());
    }
  }
}
