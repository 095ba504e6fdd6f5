package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.train.Training;

/** Where pruning reads weights and writes masks. */
interface Site {
  /** Where the weights live. */
  Device device();

  /** A weight, F32, on the device. */
  DeviceTensor weight(String parameter);

  /** The mask of a weight, made on first use (all kept). */
  DeviceMask mask(String parameter);

  /** The weights of a training run. */
  static Site of(Training training) {
    return new Site() {
      @Override
      public Device device() {
        return training.device();
      }

      @Override
      public DeviceTensor weight(String parameter) {
        return training.parameters().get(parameter);
      }

      @Override
      public DeviceMask mask(String parameter) {
        return training.mask(parameter);
      }
    };
  }
}
