package io.github.secateur.bench;

import java.io.IOException;
import java.util.Arrays;

/** One side of a {@link Race}: a library doing the work that all sides do. */
interface Contestant extends AutoCloseable {
  /** Library and method, such as {@code mkl csr}; unique in a race. */
  String name();

  /** Runs for about so long and gives the microseconds of single runs, one or more. */
  double[] block(double seconds) throws IOException;

  /** How long its threads spin after their last run, and would take time from the next side. */
  default int settleMillis() {
    return 10;
  }

  @Override
  default void close() {}

  /** Work of this process. */
  static Contestant of(String name, int settleMillis, Runnable work) {
    return new Contestant() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public double[] block(double seconds) {
        return timed(work, seconds);
      }

      @Override
      public int settleMillis() {
        return settleMillis;
      }
    };
  }

  /**
   * Runs work until the time is up. The first run, which finds cold caches, is left out when others
   * follow; the Python peers count alike.
   */
  private static double[] timed(Runnable work, double seconds) {
    double[] micros = new double[16];
    int count = 0;
    long begin = System.nanoTime();
    long last = begin;
    while (count == 0 || last - begin < seconds * 1e9) {
      work.run();
      long now = System.nanoTime();
      if (count == micros.length) {
        micros = Arrays.copyOf(micros, 2 * count);
      }
      micros[count++] = (now - last) * 1e-3;
      last = now;
    }
    return Arrays.copyOfRange(micros, count > 1 ? 1 : 0, count);
  }
}
