package io.github.secateur.device;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Finds and opens devices. */
public final class Devices {
  private static final System.Logger LOG = System.getLogger(Devices.class.getName());

  private Devices() {}

  /** All known providers, highest rank first. */
  public static List<DeviceProvider> providers() {
    List<DeviceProvider> all = new ArrayList<>();
    ServiceLoader.load(DeviceProvider.class).forEach(all::add);
    all.sort(Comparator.comparingInt(DeviceProvider::rank).reversed());
    return all;
  }

  /**
   * Opens a device by name, or the usable one of highest rank for {@code auto}. A device asked for
   * by name never falls back to another.
   *
   * @throws IllegalArgumentException when there is no device of that name
   * @throws DeviceException when it is not usable; the message says why and the cure
   */
  public static Device open(String name, DeviceOptions options) {
    List<DeviceProvider> providers = providers();
    if (name.equals("auto")) {
      return openBest(providers, options);
    }
    for (DeviceProvider provider : providers) {
      if (provider.name().equals(name)) {
        DeviceProvider.Probe probe = provider.probe();
        if (!probe.usable()) {
          throw new DeviceException(
              "open device " + name, DeviceException.Status.UNAVAILABLE, probe.description());
        }
        return provider.open(options);
      }
    }
    throw new IllegalArgumentException(
        "there is no device '%s' in this build; known: auto, %s"
            .formatted(
                name,
                providers.stream().map(DeviceProvider::name).collect(Collectors.joining(", "))));
  }

  private static Device openBest(List<DeviceProvider> providers, DeviceOptions options) {
    List<String> refused = new ArrayList<>();
    for (DeviceProvider provider : providers) {
      DeviceProvider.Probe probe = provider.probe();
      if (probe.usable()) {
        LOG.log(
            System.Logger.Level.DEBUG,
            "using device {0} ({1}){2}",
            provider.name(),
            probe.description(),
            refused.isEmpty() ? "" : "; not " + String.join("; not ", refused));
        return provider.open(options);
      }
      refused.add(provider.name() + ": " + probe.description());
    }
    throw new DeviceException(
        "open device auto",
        DeviceException.Status.UNAVAILABLE,
        refused.isEmpty() ? "no device provider on the class path" : String.join("; ", refused));
  }
}
