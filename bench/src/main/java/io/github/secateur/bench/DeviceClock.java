package io.github.secateur.bench;

import io.github.secateur.device.Device;
import java.util.Arrays;

/**
 * Times work on a device: each sample runs it often enough to last two milliseconds between two
 * waits for the device, and the median of {@value #SAMPLES} samples counts. On a simulated device
 * work runs once, unmeasured, and its time is NaN.
 */
final class DeviceClock {
  private static final int SAMPLES = 11;
  private static final double SAMPLE_SECONDS = 2e-3;

  private final Device device;

  DeviceClock(Device device) {
    this.device = device;
  }

  /** Median seconds of one run. */
  double seconds(Runnable work) {
    if (device.info().simulated()) {
      work.run();
      device.synchronize();
      return Double.NaN;
    }
    sample(work, 1); // first touch, lazy loading, autotuning
    int inner = (int) Math.clamp(Math.ceil(SAMPLE_SECONDS / sample(work, 3)), 1, 10_000);
    double[] seconds = new double[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
      seconds[i] = sample(work, inner);
    }
    Arrays.sort(seconds);
    return seconds[SAMPLES / 2];
  }

  private double sample(Runnable work, int times) {
    device.synchronize();
    long begin = System.nanoTime();
    for (int i = 0; i < times; i++) {
      work.run();
    }
    device.synchronize();
    return (System.nanoTime() - begin) * 1e-9 / times;
  }
}
