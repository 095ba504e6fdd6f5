package io.github.secateur.device;

import java.util.Map;

/**
 * Describes an open device.
 *
 * @param name the name it was asked for by: {@code cpu}, {@code cuda}
 * @param description one line for people, such as {@code AMD EPYC, 2 threads, avx512}
 * @param details facts for provenance in a fixed order: instruction set, threads, BLAS core and
 *     version, library paths
 */
public record DeviceInfo(String name, String description, Map<String, String> details) {
  /** Key of {@link #details} that is {@code true} for a simulated device. */
  public static final String SIMULATED = "simulated";

  /** Whether this device is simulated: its results are right, its times say nothing. */
  public boolean simulated() {
    return Boolean.parseBoolean(details.getOrDefault(SIMULATED, "false"));
  }
}
