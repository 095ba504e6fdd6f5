package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Times competing pieces of device work in one process, interleaved (A B A B …), so that drifts of
 * the machine meet all of them alike. Each sample runs its work often enough to last {@link
 * Options#sampleMicros}, then waits for the device.
 */
public final class Stopwatch {
  private static final int MAX_INNER = 10_000;

  /** Work that takes so many times the shortest sample is warm after one run. */
  private static final double LONG = 20;

  /** After so many samples, who takes more than so many times the best leaves. */
  private static final int[] HEATS = {2, 5};

  private static final double[] SLOWER = {2, 1.25};

  /** A knockout ends early, after the last heat, when it has sampled for so long. */
  private static final double LIMIT_MICROS = 2e6;

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
    return run(sampler(device, competitors), competitors.size(), options, false);
  }

  /**
   * The same, but competitors that are clearly slower than the best stop early and have fewer
   * samples. The first is the one to beat and goes on to the end.
   */
  public static List<Spread> knockout(Device device, List<Runnable> competitors, Options options) {
    return run(sampler(device, competitors), competitors.size(), options, true);
  }

  /** Takes one sample. */
  interface Sampler {
    /** Microseconds of one run, over so many runs of a competitor. */
    double micros(int competitor, int runs);
  }

  private static Sampler sampler(Device device, List<Runnable> competitors) {
    return (competitor, runs) -> sample(device, competitors.get(competitor), runs);
  }

  static List<Spread> run(Sampler sampler, int competitors, Options options, boolean knockout) {
    int[] runs = new int[competitors];
    for (int c = 0; c < competitors; c++) {
      double once = sampler.micros(c, 1); // first touch, lazy loading
      runs[c] = 1;
      if (once < LONG * options.sampleMicros) {
        once = sampler.micros(c, 3);
        runs[c] = (int) Math.clamp(Math.ceil(options.sampleMicros / once), 1, MAX_INNER);
        sampler.micros(c, runs[c]);
      }
    }
    double[][] micros = new double[competitors][options.repeats];
    int[] taken = new int[competitors];
    boolean[] left = new boolean[competitors];
    double spent = 0;
    for (int r = 0; r < options.repeats; r++) {
      for (int c = 0; c < competitors; c++) {
        if (!left[c]) {
          micros[c][r] = sampler.micros(c, runs[c]);
          taken[c]++;
          spent += micros[c][r] * runs[c];
        }
      }
      if (knockout) {
        if (r + 1 >= HEATS[HEATS.length - 1] && spent > LIMIT_MICROS) {
          break;
        }
        knockOut(micros, taken, left);
      }
    }
    List<Spread> spreads = new ArrayList<>();
    for (int c = 0; c < competitors; c++) {
      spreads.add(Spread.of(Arrays.copyOf(micros[c], taken[c])));
    }
    return spreads;
  }

  /** Marks those that leave after a heat. */
  private static void knockOut(double[][] micros, int[] taken, boolean[] left) {
    int heat = Arrays.binarySearch(HEATS, taken[0]);
    if (heat < 0) {
      return;
    }
    double[] fastest = new double[left.length];
    for (int c = 0; c < left.length; c++) {
      fastest[c] = Arrays.stream(micros[c], 0, taken[c]).min().orElseThrow();
    }
    double best = Arrays.stream(fastest).min().orElseThrow();
    for (int c = 1; c < left.length; c++) {
      left[c] |= fastest[c] > SLOWER[heat] * best;
    }
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
