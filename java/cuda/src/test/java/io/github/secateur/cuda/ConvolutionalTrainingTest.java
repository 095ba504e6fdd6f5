package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Graph;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.LearningRate;
import io.github.secateur.train.Optimizer;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.TrainResult;
import io.github.secateur.train.Trainer;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutional networks train on this device as on the CPU, step by step or replayed. */
class ConvolutionalTrainingTest {
  /** Noise with a bright half: left, right or upper. */
  private static DataSplit halves(int count, int size) {
    SplittableRandom random = new SplittableRandom(count);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(count, size, size));
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % 3;
      for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
          boolean bright =
              switch (labels[i]) {
                case 0 -> c < size / 2;
                case 1 -> c >= size / 2;
                default -> r < size / 2;
              };
          float noise = (float) (0.3 * random.nextGaussian());
          x.setFloat((i * size + r) * size + c, bright ? 1 + noise : noise);
        }
      }
    }
    return DataSplit.of(
        new Samples(x, Tensor.ofInts(Shape.of(count), labels), 3, "", "halves " + count));
  }

  private static TrainResult train(Device device, String network, DataSplit data, int epochs) {
    return train(device, network, data, epochs, true);
  }

  private static TrainResult train(
      Device device, String network, DataSplit data, int epochs, boolean repeatable) {
    TrainOptions options =
        new TrainOptions(
            epochs,
            6,
            new Optimizer.Sgd(0.9f, 1e-4f, false),
            new LearningRate.Constant(0.02f),
            5,
            0,
            List.of());
    return new Trainer(
            device,
            Networks.parse(network, 3),
            data,
            options,
            List.of(new Toys.Before(step -> {}, repeatable)))
        .run();
  }

  @ParameterizedTest
  @CsvSource({"resnet-8:1x8x8,8", "lenet-5-caffe,28"})
  void learnsAndReplaysBitForBit(String network, int size) {
    DataSplit data = halves(18, size);
    try (Device device = Toys.device()) {
      TrainResult replayed = train(device, network, data, 4);
      TrainResult eager = train(device, network, data, 4, false);
      Graph graph = eager.model().graph();
      for (String name : graph.initializers().keySet()) {
        assertTrue(
            graph.initializer(name).bitEquals(replayed.model().graph().initializer(name)), name);
      }
      double first = replayed.history().getFirst().trainLoss();
      double last = replayed.history().getLast().trainLoss();
      assertTrue(last < first / 2, "the loss went from %s to %s".formatted(first, last));
    }
  }

  @ParameterizedTest
  @CsvSource({"resnet-8:1x8x8,8", "lenet-5-caffe,28"})
  void aStepIsThatOfTheCpu(String network, int size) {
    DataSplit data = halves(6, size);
    try (Device device = Toys.device();
        Device cpu = Devices.open("cpu", new DeviceOptions(2))) {
      Graph here = train(device, network, data, 1).model().graph();
      Graph there = train(cpu, network, data, 1).model().graph();
      for (String name : there.initializers().keySet()) {
        Tensor expected = there.initializer(name);
        for (long i = 0; i < expected.size(); i++) {
          assertEquals(expected.getFloat(i), here.initializer(name).getFloat(i), 1e-4, name);
        }
      }
    }
  }
}
