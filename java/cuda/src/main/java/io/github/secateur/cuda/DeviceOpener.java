package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;

/** Opens the device; implemented on the far side of {@link JCudaLoader}. */
public interface DeviceOpener {
  /**
   * Opens it.
   *
   * @param info of it, with the libraries and the GPU found
   * @param libraries for functions that JCuda lacks
   */
  Device open(DeviceInfo info, DeviceOptions options, CudaLibraries libraries);
}
