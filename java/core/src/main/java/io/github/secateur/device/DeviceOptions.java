package io.github.secateur.device;

/**
 * How to open a device.
 *
 * @param threads CPU threads, 0 for all processors this process may use
 * @param tf32 whether dense products on CUDA may round their factors to TF32 (10 bits of mantissa)
 */
public record DeviceOptions(int threads, boolean tf32) {
  /** Checks the range. */
  public DeviceOptions {
    if (threads < 0 || threads > 1024) {
      throw new IllegalArgumentException(
          "threads must be 0 (all) to 1024, got " + threads + "; leave it out to use all");
    }
  }

  /** So many threads, and products in full F32. */
  public DeviceOptions(int threads) {
    this(threads, false);
  }

  /** All processors, and products in full F32. */
  public static DeviceOptions defaults() {
    return new DeviceOptions(0);
  }
}
