package io.github.secateur.device.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** What /proc/cpuinfo says of the processor. */
final class Processor {
  private static final Set<String> AVX512_CORES =
      Set.of("skylakex", "cooperlake", "sapphirerapids");
  private static final Set<String> AVX2_CORES = Set.of("haswell", "zen", "excavator");
  private static final Set<String> AVX_CORES =
      Set.of("sandybridge", "bulldozer", "piledriver", "steamroller");

  private Processor() {}

  /** The model name, else the architecture. */
  static String model() {
    String model = field("model name");
    return model.isEmpty() ? System.getProperty("os.arch") : model;
  }

  /** Instruction sets and other features, as Linux names them. */
  static Set<String> flags() {
    return Set.copyOf(List.of(field("flags").split(" +")));
  }

  private static String field(String name) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException e) {
      return ""; // no Linux: the caller has a substitute
    }
  }

  /**
   * Whether OPENBLAS_CORETYPE makes OpenBLAS use narrower vectors than the processor has, so that a
   * dense baseline measured now is unfairly slow.
   *
   * @param coreType the variable's value, or null
   * @param core the core name that OpenBLAS reports
   * @param flags the processor's features
   */
  static boolean isHeldBack(String coreType, String core, Set<String> flags) {
    return coreType != null && !coreType.isBlank() && level(core) < level(flags);
  }

  /** 3: AVX-512, 2: AVX2 with FMA, 1: AVX, 0: less. */
  private static int level(Set<String> flags) {
    if (flags.containsAll(List.of("avx512f", "avx512bw", "avx512dq", "avx512vl"))) {
      return 3;
    }
    return flags.containsAll(List.of("avx2", "fma")) ? 2 : flags.contains("avx") ? 1 : 0;
  }

  private static int level(String core) {
    String name = core.toLowerCase(Locale.ROOT);
    return AVX512_CORES.contains(name)
        ? 3
        : AVX2_CORES.contains(name) ? 2 : AVX_CORES.contains(name) ? 1 : 0;
  }
}
