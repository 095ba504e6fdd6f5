package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps replayed from a graph equal steps enqueued one by one, bit for bit. */
class RecordedTrainingTest {
  private static final int BATCH = 32;
  private static final int FEATURES = 64;
  private static final int STEPS = 12; // one as it is, one recorded, ten replayed alone

  private static TrainResult train(Device device, String network, boolean repeatable) {
    TrainOptions options =
        new TrainOptions(
            1, BATCH, Optimizer.Adam.defaults(), new LearningRate.Cosine(1e-2f), 5, 0, List.of());
    Toys.Before nothing = new Toys.Before(step -> {}, repeatable);
    return new Trainer(
            device,
            Networks.parse(network, 3),
            Toys.data(STEPS * BATCH, FEATURES, 5),
            options,
            List.of(nothing))
        .run();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mlp:64-33-17-5", "resnet-8:1x8x8"})
  void tenReplaysEqualTenEagerSteps(String network) {
    try (Device device = Toys.device()) {
      Simulator.reset();
      TrainResult eager = train(device, network, false);
      assertEquals(0, Simulator.counters().graphLaunches());
      TrainResult replayed = train(device, network, true);
      assertEquals(STEPS - 1, Simulator.counters().graphLaunches());
      for (String name : eager.model().graph().initializers().keySet()) {
        assertTrue(
            eager
                .model()
                .graph()
                .initializer(name)
                .bitEquals(replayed.model().graph().initializer(name)),
            name);
      }
      assertEquals(eager.history().getLast().trainLoss(), replayed.history().getLast().trainLoss());
    }
  }

  @Test
  void aReplaySeesWhatItsBuffersHoldThen() {
    try (Device device = Toys.device();
        DeviceTensor x = device.toDevice(Tensor.of(Shape.of(3), 1, 2, 3));
        DeviceTensor y = device.toDevice(Tensor.of(Shape.of(3), 0, 0, 0));
        Device.Replay twice = device.replay(() -> device.nn().binary(NnOps.Binary.ADD, x, x, y))) {
      for (int i = 1; i <= 5; i++) {
        device.upload(Tensor.of(Shape.of(3), i, 2 * i, 3 * i), x);
        twice.run();
        assertEquals(4f * i, device.toHost(y).getFloat(1));
      }
    }
  }
}
