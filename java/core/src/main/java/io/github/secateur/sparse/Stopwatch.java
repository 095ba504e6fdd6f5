package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * Times competing pieces of device work in one process, interleaved (A B A B …), so that drifts of
 * the machine meet all of them alike. Each sample runs its work often enough to last {@link
 * Options#sampleMicros}, then waits for the device.
 */
public final class Stopwatch {
  private static final int MAX_INNER = 10_000;

  private Stopwatch() {}

  /**
   * How to time.
   *
   * @param repeats samples of each competitor, odd so that the median is one of them
   * @param sampleMicros shortest sample, microseconds
   */
  public record Options(int repeats, double sampleMicros) {
    /** Checks the ranges. */
    public Options {
      if (repeats < 1 || !(sampleMicros >= 0)) {
        throw new IllegalArgumentException(
            "timing needs 1 or more repeats and a sample time of 0 or more, got "
                + repeats
                + " and "
                + sampleMicros);
      }
    }
  }

  /** Times of a single run of each competitor, in their order. */
  public static List<Spread> race(Device device, List<Runnable> competitors, Options options) {
    int[] inner = new int[competitors.size()];
    for (int c = 0; c < inner.length; c++) {
      sample(device, competitors.get(c), 1); // first touch, lazy loading
      double once = sample(device, competitors.get(c), 3);
      inner[c] = (int) Math.clamp(Math.ceil(options.sampleMicros / once), 1, MAX_INNER);
      sample(device, competitors.get(c), inner[c]);
    }
    double[][] micros = new double[inner.length][options.repeats];
    for (int r = 0; r < options.repeats; r++) {
      for (int c = 0; c < inner.length; c++) {
        micros[c][r] = sample(device, competitors.get(c), inner[c]);
      }
    }
    List<Spread> spreads = new ArrayList<>();
    for (double[] samples : micros) {
      spreads.add(Spread.of(samples));
    }
    return spreads;
  }

  private static double sample(Device device, Runnable work, int times) {
    device.synchronize();
    long begin = System.nanoTime();
    for (int i = 0; i < times; i++) {
      work.run();
    }
    device.synchronize();
    return Math.max(1, System.nanoTime() - begin) / 1e3 / times;
  }
}
