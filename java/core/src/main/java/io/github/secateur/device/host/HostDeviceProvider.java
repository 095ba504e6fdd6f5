package io.github.secateur.device.host;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceProvider;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiDevice;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Offers the CPU device: usable wherever libsecateur and OpenBLAS can be loaded. */
public final class HostDeviceProvider implements DeviceProvider {
  /** For {@link java.util.ServiceLoader}. */
  public HostDeviceProvider() {}

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public Probe probe() {
    try {
      Abi.require(name());
      return new Probe(true, Processor.model() + ", " + AbiDevice.isa());
    } catch (DeviceException e) {
      return new Probe(false, e.sentence());
    }
  }

  @Override
  public Device open(DeviceOptions options) {
    Path library = Abi.require(name());
    Blas blas = Blas.get();
    AbiDevice.setThreads(options.threads());
    return new HostDevice(AbiDevice.open(AbiDevice.CPU, 0, name()), describe(library, blas), blas);
  }

  private DeviceInfo describe(Path library, Blas blas) {
    String isa = AbiDevice.isa();
    int threads = AbiDevice.threads();
    Map<String, String> details = new LinkedHashMap<>();
    details.put("processor", Processor.model());
    details.put("isa", isa);
    details.put("threads", Integer.toString(threads));
    details.put("library", library.toString());
    blas.describe(details);
    String description =
        "%s, %d %s, %s"
            .formatted(Processor.model(), threads, threads == 1 ? "thread" : "threads", isa);
    return new DeviceInfo(name(), description, Collections.unmodifiableMap(details));
  }
}
