package io.github.secateur.bench;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The machine that figures were taken on.
 *
 * @param processor its name
 * @param facts processor, caches, memory, Java, the CPU device's own
 */
record Machine(String processor, Map<String, String> facts) {
  /** The one this runs on. */
  static Machine ofThis() throws IOException {
    Path proc = Path.of("/proc");
    String cpu = field(Files.readString(proc.resolve("cpuinfo")), "model name");
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("processor", cpu);
    facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("caches", caches(Path.of("/sys/devices/system/cpu/cpu0/cache")));
    facts.put("memory", field(Files.readString(proc.resolve("meminfo")), "MemTotal"));
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("java", System.getProperty("java.vm.version"));
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      facts.put("device", device.info().description());
      device
          .info()
          .details()
          .forEach(
              (k, v) -> {
                if (!v.contains("/")) { // paths say nothing elsewhere
                  facts.put(k, v);
                }
              });
    }
    return new Machine(cpu, facts);
  }

  /** The processor's name as part of a file name. */
  String fileName() {
    return fileName(processor);
  }

  static String fileName(String processor) {
    String name =
        processor
            .replaceAll("\\((R|TM|C)\\)", "")
            .replaceAll("@.*| CPU| Processor", "")
            .toLowerCase(Locale.ROOT)
            .replaceAll("[^a-z0-9]+", "-")
            .replaceAll("^-|-$", "");
    return name.isEmpty() ? "unknown" : name;
  }

  /** The value of the first line {@code name : value}. */
  static String field(String text, String name) {
    return text.lines()
        .filter(l -> l.startsWith(name))
        .map(l -> l.substring(l.indexOf(':') + 1).strip().replaceAll("\\s+", " "))
        .findFirst()
        .orElse("unknown");
  }

  /** Such as {@code L1 Data 32K, L2 Unified 1024K}, of the first processor. */
  static String caches(Path folder) throws IOException {
    StringBuilder words = new StringBuilder();
    for (int i = 0; Files.isDirectory(folder.resolve("index" + i)); i++) {
      Path cache = folder.resolve("index" + i);
      words.append(words.isEmpty() ? "L" : ", L");
      words.append(Files.readString(cache.resolve("level")).strip()).append(' ');
      words.append(Files.readString(cache.resolve("type")).strip()).append(' ');
      words.append(Files.readString(cache.resolve("size")).strip());
    }
    return words.isEmpty() ? "unknown" : words.toString();
  }
}
