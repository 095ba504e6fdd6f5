package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.graph.Model;
import java.util.List;

/** SIGNATURE. */
public final class Sparsify {
  private Sparsify() {}

  /**
   * How to choose.
   *
   * @param minimalGain a layer leaves dense only when that shortens its time by this fraction
   * @param minimalSparsity layers with a smaller fraction of zeros stay dense unmeasured
   * @param repeats samples of each time
   */
  public record Options(double minimalGain, double minimalSparsity, int repeats) {
    /** 5 % gain, 30 % zeros, 9 repeats. */
    public static Options defaults() {
      return new Options(0.05, 0.3, 9);
    }
  }

  /** SIGNATURE. */
  public static List<Sparsified> apply(
      Device device, Model pruned, List<Long> batches, Options options) {
    throw new IllegalStateException("being written " + device + pruned + batches + options);
  }
}
