package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.train.Training;
import java.util.List;

/** Where pruning reads weights and writes masks. */
interface Site {
  /** Where the weights live. */
  Device device();

  /** A weight, F32, on the device. */
  DeviceTensor weight(String parameter);

  /** The mask of a weight, made on first use (all kept). */
  DeviceMask mask(String parameter);

  /** Sets to +0 what the masks of these weights prune, in one operation. */
  default void applyMasks(List<String> parameters) {
    device()
        .prune()
        .applyMasks(
            parameters.stream().map(this::mask).toList(),
            parameters.stream().map(this::weight).toList());
  }

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

      @Override
      public void applyMasks(List<String> parameters) {
        Site.super.applyMasks(parameters);
        parameters.forEach(training::maskChanged);
      }
    };
  }
}
