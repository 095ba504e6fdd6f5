package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.graph.Graph;
import io.github.secateur.nn.Networks;
import io.github.secateur.train.Checkpoint;
import io.github.secateur.train.Checkpointing;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every allocation and every launch of a short training run fails in turn. Each time the run ends
 * in a clean error (or, where a second try helps, in the right result), nothing leaks but what goes
 * with a lost device, nothing hangs, and the checkpoint, if one was written, is whole and leads to
 * the result of an undisturbed run.
 */
class FaultTest {
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @TempDir Path folder;

  @AfterEach
  void forgetOrders() {
    Simulator.restart();
  }

  @Test
  void everyAllocationFailsInTurn() throws IOException {
    failInTurn(Simulator.ALLOCATION, DeviceException.Status.OUT_OF_MEMORY);
  }

  @Test
  void everyLaunchFailsInTurn() throws IOException {
    failInTurn(Simulator.LAUNCH, DeviceException.Status.DEVICE_LOST);
  }

  private void failInTurn(int what, DeviceException.Status expected) throws IOException {
    Simulator.restart();
    Graph wanted = run(folder.resolve("undisturbed.ckpt"), false);
    int failures = 0;
    int overcome = 0;
    int resumed = 0;
    boolean met = true;
    for (int nth = 1; met; nth++) {
      Path checkpoint = folder.resolve(what + "-" + nth + ".ckpt");
      Simulator.restart();
      Simulator.fail(what, nth);
      String occasion = "fault " + nth;
      try {
        Graph result =
            Assertions.assertTimeoutPreemptively(LIMIT, () -> run(checkpoint, false), occasion);
        assertSame(wanted, result, occasion);
        met = Simulator.met(what);
        overcome += met ? 1 : 0;
      } catch (DeviceException e) {
        failures++;
        boolean opening = e.getMessage().startsWith("open device cuda");
        assertTrue(
            e.status() == expected || (opening && e.status() == DeviceException.Status.UNAVAILABLE),
            occasion + ": " + e.status() + ", " + e.getMessage());
      }
      if (expected != DeviceException.Status.DEVICE_LOST) { // a lost device takes all with it
        assertEquals("", Simulator.leaks(), occasion);
      }
      if (met && Files.exists(checkpoint)) {
        Simulator.restart();
        assertSame(wanted, run(checkpoint, true), occasion + ", resumed");
        resumed++;
      }
    }
    System.out.printf(
        "%s: %d ended the run, %d were overcome, %d runs resumed%n",
        what == Simulator.LAUNCH ? "failing launches" : "failing allocations",
        failures,
        overcome,
        resumed);
    assertTrue(failures + overcome > 10);
  }

  private static Graph run(Path checkpoint, boolean resume) throws IOException {
    TrainOptions options =
        new TrainOptions(
            2, 16, Optimizer.Adam.defaults(), new LearningRate.Cosine(1e-2f), 5, 0, List.of());
    try (Device device = Toys.device()) {
      Trainer trainer =
          new Trainer(
                  device, Networks.parse("mlp:6-8-3", 3), Toys.data(40, 6, 3), options, List.of())
              .checkpoint(new Checkpointing(checkpoint, 2, 0, 1));
      if (resume) {
        trainer.resume(Checkpoint.read(checkpoint));
      }
      return trainer.run().model().graph();
    }
  }

  private static void assertSame(Graph wanted, Graph actual, String occasion) {
    for (String name : wanted.initializers().keySet()) {
      assertTrue(
          wanted.initializer(name).bitEquals(actual.initializer(name)), occasion + ": " + name);
    }
  }
}
