package io.github.secateur.device;

/**
 * How to open a device.
 *
 * @param threads CPU threads, 0 for all processors this process may use
 */
public record DeviceOptions(int threads) {
  /** Checks the range. */
  public DeviceOptions {
    if (threads < 0 || threads > 1024) {
      throw new IllegalArgumentException(
          "threads must be 0 (all) to 1024, got " + threads + "; leave it out to use all");
    }
  }

  /** All processors. */
  public static DeviceOptions defaults() {
    return new DeviceOptions(0);
  }
}
