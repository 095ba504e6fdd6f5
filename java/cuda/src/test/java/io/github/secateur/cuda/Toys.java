package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/** Small data and hooks for training on the device under test. */
final class Toys {
  private Toys() {}

  static Device device() {
    return Devices.open("cuda", DeviceOptions.defaults());
  }

  /** Random numbers with labels that follow from them. */
  static DataSplit data(int count, int features, int classes) {
    SplittableRandom random = new SplittableRandom(count);
    Tensor x = Tensor.zeros(DType.F32, Shape.of(count, features));
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = random.nextInt(classes);
      for (int f = 0; f < features; f++) {
        float value = (float) random.nextGaussian();
        x.setFloat((long) i * features + f, f % classes == labels[i] ? value + 1 : value);
      }
    }
    return DataSplit.of(
        new Samples(x, Tensor.ofInts(Shape.of(count), labels), classes, "", "toy " + count));
  }

  /** Does something before every step, on the host alone. */
  record Before(LongConsumer step, boolean repeatable) implements TrainHook {
    @Override
    public String name() {
      return "before";
    }

    @Override
    public void beforeStep(Training training) {
      step.accept(training.step());
    }
  }
}
