package io.github.secateur.device;

/** Found by {@link java.util.ServiceLoader}; one for each kind of device. */
public interface DeviceProvider {
  /** The name a user asks for: {@code cpu}, {@code cuda}. */
  String name();

  /** Order of the automatic choice: the usable device of highest rank is taken. */
  int rank();

  /** Whether the device can be opened here, without opening it. */
  Probe probe();

  /** Opens it. */
  Device open(DeviceOptions options);

  /**
   * Result of a probe.
   *
   * @param usable whether {@link #open} can be expected to work
   * @param description what was found, or one sentence on what is missing and the cure
   */
  record Probe(boolean usable, String description) {}
}
