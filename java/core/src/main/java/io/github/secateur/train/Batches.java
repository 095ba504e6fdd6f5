package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;

/**
 * The training samples in device memory, uploaded once, and the order in which an epoch visits
 * them. A batch is gathered on the device; only the order (4 n bytes) is uploaded, once an epoch.
 * The last batch of an epoch holds what is left. Choosing a batch and gathering it are two calls,
 * so that the gathering is the same work at every step.
 */
final class Batches implements AutoCloseable {
  private final Device device;
  private final int count;
  private final int batchSize;
  private final long seed;
  private final DeviceTensor x;
  private final DeviceTensor labels;
  private final DeviceTensor order;
  private final DeviceTensor chosen;
  private int loadedEpoch = -1;

  Batches(Device device, Samples samples, int batchSize, long seed) {
    this.device = device;
    this.count = Math.toIntExact(samples.count());
    this.batchSize = Math.min(batchSize, count);
    this.seed = seed;
    try (Owner owner = new Owner()) {
      Tensor rows = samples.x().reshape(Shape.of(count, samples.features()));
      x = owner.add(device.toDevice(rows));
      labels = owner.add(device.toDevice(samples.labels().reshape(Shape.of(count, 1))));
      order = owner.add(device.empty(DType.I32, Shape.of(count)));
      chosen = owner.add(device.empty(DType.I32, Shape.of(this.batchSize)));
      owner.release();
    }
  }

  /** Number of batches of an epoch. */
  int perEpoch() {
    return (count + batchSize - 1) / batchSize;
  }

  /** Samples of batch number {@code index} of an epoch. */
  int size(int index) {
    return Math.min(batchSize, count - index * batchSize);
  }

  /** Chooses batch {@code index} of an epoch for {@link #load}. */
  void choose(int epoch, int index) {
    if (epoch != loadedEpoch) {
      device.upload(Tensor.ofInts(Shape.of(count), Permutation.of(count, seed, epoch)), order);
      loadedEpoch = epoch;
    }
    long from = order.byteOffset() + 4L * index * batchSize;
    device.copy(order.buffer(), from, chosen.buffer(), chosen.byteOffset(), 4L * size(index));
  }

  /** Fills x [size, features...] and labels [size] with the chosen batch, which has this size. */
  void load(DeviceTensor batch, DeviceTensor batchLabels) {
    int size = Math.toIntExact(batchLabels.size());
    DeviceTensor rows =
        new DeviceTensor(chosen.buffer(), chosen.byteOffset(), DType.I32, Shape.of(size));
    device.nn().gatherRows(x, rows, batch.view(Shape.of(size, x.shape().dim(1))));
    device.nn().gatherRows(labels, rows, batchLabels.view(Shape.of(size, 1)));
  }

  @Override
  public void close() {
    x.close();
    labels.close();
    order.close();
    chosen.close();
  }
}
