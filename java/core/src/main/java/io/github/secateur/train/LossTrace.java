package io.github.secateur.train;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;

/**
 * The losses of the current epoch's steps, gathered in device memory and looked at only now and
 * then, so that no step waits for the device. Their mean is taken in double, in order.
 */
final class LossTrace implements AutoCloseable {
  private final Device device;
  private final DeviceTensor losses;

  LossTrace(Device device, int stepsPerEpoch) {
    this.device = device;
    this.losses = device.empty(DType.F32, Shape.of(stepsPerEpoch));
  }

  /** Keeps the loss (scalar) of a step, counted from 0 in its epoch. */
  void record(int stepOfEpoch, DeviceTensor loss) {
    device.copy(
        loss.buffer(),
        loss.byteOffset(),
        losses.buffer(),
        losses.byteOffset() + 4L * stepOfEpoch,
        4);
  }

  /** The losses of the epoch's first {@code count} steps; waits for them. */
  Tensor first(int count) {
    return device.toHost(
        new DeviceTensor(losses.buffer(), losses.byteOffset(), DType.F32, Shape.of(count)));
  }

  /** Takes back what {@link #first} gave. */
  void restore(Tensor first) {
    if (first.size() > 0) {
      device.upload(first.data(), losses.buffer(), losses.byteOffset());
    }
  }

  /** Position of the first loss that is not finite, or -1. */
  static int firstNotFinite(Tensor losses) {
    for (int i = 0; i < losses.size(); i++) {
      if (!Float.isFinite(losses.getFloat(i))) {
        return i;
      }
    }
    return -1;
  }

  /** Mean, NaN of none. */
  static double mean(Tensor losses) {
    double sum = 0;
    for (int i = 0; i < losses.size(); i++) {
      sum += losses.getFloat(i);
    }
    return sum / losses.size();
  }

  @Override
  public void close() {
    losses.close();
  }
}
