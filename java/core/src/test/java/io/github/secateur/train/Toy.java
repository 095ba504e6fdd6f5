package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.nn.MlpOptions;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Random;

/** Small data sets and networks that train in no time. */
final class Toy {
  private Toy() {}

  static Device device() {
    return Devices.open("cpu", new DeviceOptions(2));
  }

  /** Three overlapping Gaussian blobs in four dimensions. */
  static Samples blobs(int n, long seed) {
    Random random = new Random(seed);
    float[] x = new float[n * 4];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      for (int d = 0; d < 4; d++) {
        x[i * 4 + d] = (float) (random.nextGaussian() + (d == labels[i] ? 2.5 : 0));
      }
    }
    return samples("blobs " + n + "/" + seed, x, 4, labels, 3);
  }

  /** Exclusive or: not separable by a plane. */
  static Samples xor() {
    return samples("xor", new float[] {0, 0, 0, 1, 1, 0, 1, 1}, 2, new int[] {0, 1, 1, 0}, 2);
  }

  static Samples samples(String name, float[] x, int features, int[] labels, int classes) {
    Tensor rows = Tensor.of(Shape.of(labels.length, features), x);
    String hash = new Digest().tensor("x", rows).ints(labels).hex();
    return new Samples(rows, Tensor.ofInts(Shape.of(labels.length), labels), classes, hash, name);
  }

  static Model mlp(long seed, Integer... sizes) {
    return Networks.mlp(MlpOptions.of(List.of(sizes), seed));
  }

  /** Adam at a constant rate. */
  static TrainOptions adam(int epochs, int batch, float rate) {
    return options(epochs, batch, Optimizer.Adam.defaults(), rate);
  }

  static TrainOptions options(int epochs, int batch, Optimizer optimizer, float rate) {
    return new TrainOptions(
        epochs, batch, optimizer, new LearningRate.Constant(rate), 7, 0, List.of());
  }
}
