package io.github.secateur.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceProvider;
import io.github.secateur.device.Devices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code secateur devices}. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    description = "Lists the devices: what was found, versions, and why one is not usable.",
    footer = {"", "Example:", "  secateur devices --json"})
final class DevicesCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print as JSON.")
  boolean json;

  @Override
  public Integer call() throws Exception {
    List<Map<String, Object>> found = new ArrayList<>();
    for (DeviceProvider provider : Devices.providers()) {
      found.add(describe(provider));
    }
    if (json) {
      System.out.println(
          new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(found));
      return 0;
    }
    for (Map<String, Object> device : found) {
      device.forEach((key, value) -> System.out.printf("%-16s %s%n", key, value));
      System.out.println();
    }
    return 0;
  }

  private static Map<String, Object> describe(DeviceProvider provider) {
    Map<String, Object> facts = new LinkedHashMap<>();
    DeviceProvider.Probe probe = provider.probe();
    facts.put("device", provider.name());
    facts.put("usable", probe.usable() ? "yes" : "no");
    facts.put("description", probe.description());
    if (probe.usable()) {
      try (Device device = provider.open(DeviceOptions.defaults())) {
        facts.put("description", device.info().description());
        facts.putAll(device.info().details());
      }
    }
    return facts;
  }
}
