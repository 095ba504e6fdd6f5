package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceProvider;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiDevice;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Offers the CUDA device: the first GPU that the driver shows. Which GPU that is, {@code
 * CUDA_VISIBLE_DEVICES} decides.
 */
public final class CudaDeviceProvider implements DeviceProvider {
  private static final String OPENER = "io.github.secateur.cuda.device.Opener";
  private static final int ORDINAL = 0;

  /** For {@link java.util.ServiceLoader}. */
  public CudaDeviceProvider() {}

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int rank() {
    return 10;
  }

  @Override
  public Probe probe() {
    try {
      Found found = find();
      // Only the driver can tell whether it takes our kernels, so they are loaded once.
      AbiDevice.close(AbiDevice.open(AbiDevice.CUDA, ORDINAL, name()), name());
      return new Probe(true, found.description());
    } catch (DeviceException e) {
      return new Probe(false, e.sentence());
    }
  }

  @Override
  public Device open(DeviceOptions options) {
    Found found = find();
    return opener().open(found.info(options), options, found.libraries());
  }

  private Found find() {
    Path secateur = Abi.require(name());
    CudaLibraries libraries = CudaLibraries.open();
    Driver.Gpu gpu = libraries.driver().describe(ORDINAL);
    JCudaLoader.get();
    return new Found(secateur, libraries, gpu);
  }

  /** What a device would run on. */
  private record Found(Path secateur, CudaLibraries libraries, Driver.Gpu gpu) {
    String description() {
      return "%s, compute capability %s, %.1f GiB, driver for CUDA %s"
          .formatted(
              gpu.name(),
              gpu.capabilityVersion(),
              gpu.memory() / (double) (1 << 30),
              gpu.driverVersion());
    }

    DeviceInfo info(DeviceOptions options) {
      Map<String, String> details = new LinkedHashMap<>();
      details.put("gpu", gpu.name());
      details.put("simulated", Boolean.toString(gpu.isSimulated()));
      details.put("capability", gpu.capabilityVersion());
      details.put("memory", Long.toString(gpu.memory()));
      details.put("driver", gpu.driverVersion());
      details.put("tf32", options.tf32() ? "yes" : "no");
      details.put("library", secateur.toString());
      for (String name : new String[] {"libcuda", "libcublas", "libcusparse"}) {
        details.put(name, libraries.paths().get(name));
      }
      return new DeviceInfo("cuda", description(), Collections.unmodifiableMap(details));
    }
  }

  private static DeviceOpener opener() {
    try {
      return (DeviceOpener) JCudaLoader.get().loadClass(OPENER).getConstructor().newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new DeviceException(
          "open device cuda",
          Status.UNAVAILABLE,
          "JCuda 12.6 cannot be loaded (%s); put org.jcuda:jcuda, jcublas and jcusparse 12.6.0 on the class path"
              .formatted(e));
    }
  }
}
