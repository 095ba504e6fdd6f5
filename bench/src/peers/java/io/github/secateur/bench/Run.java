package io.github.secateur.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.device.PeakRates;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What the tables of a run share.
 *
 * @param quick whether it only shows that all works: small sizes, times that say little
 * @param folder for files that the Python peer reads; temporary
 * @param python NumPy, SciPy and PyTorch
 * @param mkl dense and sparse
 * @param oneDnn dense
 * @param torch dense and sparse
 */
record Run(
    boolean quick,
    Path folder,
    PythonPeer python,
    MklPeer mkl,
    OneDnnPeer oneDnn,
    TorchPeer torch) {
  /** How long Secateur's threads may spin after their last run (0.1 ms), rounded up. */
  static final int SPIN_MILLIS = 1;

  /** Threads to measure with: one, and two where there are as many processors. */
  static final List<Integer> THREADS =
      Runtime.getRuntime().availableProcessors() == 1 ? List.of(1) : List.of(1, 2);

  /** Holds every peer to so many threads. */
  void setThreads(int threads) {
    mkl.setThreads(threads);
    oneDnn.setThreads(threads);
    TorchPeer.setThreads(threads);
  }

  /** The best of a few measurements, as anything beside them only takes away. */
  static PeakRates peak(Device device) {
    double flops = 0;
    double bandwidth = 0;
    for (int i = 0; i < 3; i++) {
      PeakRates rates = device.measurePeak();
      flops = Math.max(flops, rates.flops());
      bandwidth = Math.max(bandwidth, rates.readBandwidth());
    }
    return new PeakRates(flops, bandwidth);
  }

  /**
   * Refuses results that differ by more than 1e-4 of the largest.
   *
   * @param who is named in the error
   */
  static void check(String who, Tensor wanted, Tensor got) throws IOException {
    double largest = 1;
    double difference = 0;
    for (long i = 0; i < wanted.size(); i++) {
      double d = Math.abs((double) wanted.getFloat(i) - got.getFloat(i));
      difference = d >= 0 ? Math.max(difference, d) : Double.POSITIVE_INFINITY; // also for NaN
      largest = Math.max(largest, Math.abs(wanted.getFloat(i)));
    }
    if (!(difference <= 1e-4 * largest)) {
      throw new IOException(
          "the result of %s differs from Secateur's by %.3g; no times are shown"
              .formatted(who, difference));
    }
  }

  /** Adds times to a row of the JSON results. */
  static void put(ObjectNode row, Map<String, Times> times) {
    ArrayNode list = row.putArray("times");
    times.forEach(
        (name, t) ->
            list.addObject()
                .put("side", name)
                .put("medianMicros", t.median())
                .put("leastMicros", t.least())
                .put("runs", t.runs()));
  }
}
