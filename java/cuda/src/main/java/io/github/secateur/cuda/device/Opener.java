package io.github.secateur.cuda.device;

import io.github.secateur.cuda.CudaLibraries;
import io.github.secateur.cuda.DeviceOpener;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;

/** Where the application's classes enter: made by name, used as {@link DeviceOpener}. */
public final class Opener implements DeviceOpener {
  /** Called by name. */
  public Opener() {}

  @Override
  public Device open(DeviceInfo info, DeviceOptions options, CudaLibraries libraries) {
    return CudaDevice.open(info, options, libraries);
  }
}
