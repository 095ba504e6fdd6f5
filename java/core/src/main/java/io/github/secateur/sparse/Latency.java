package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.graph.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Latency of whole models by batch size, side by side: dense, sparse, shrunk. All variants are
 * timed in one process, interleaved, medians with quartiles.
 *
 * @param device what it was measured on; its details name threads and the BLAS core
 * @param rows one a batch size
 */
public record Latency(DeviceInfo device, List<Row> rows) {
  private static final double SAMPLE_MICROS = 2000;

  /** Copies the list. */
  public Latency {
    rows = List.copyOf(rows);
  }

  /**
   * One batch size.
   *
   * @param batch samples a run
   * @param variants time of one run by variant, in the order given
   */
  public record Row(long batch, Map<String, Spread> variants) {
    /** Time of a variant over that of another: above 1 {@code variant} is the faster. */
    public double speedup(String variant, String baseline) {
      return variants.get(baseline).median() / variants.get(variant).median();
    }
  }

  /** Models by name for a batch size; a sparse model may differ from batch to batch. */
  public interface Variants {
    /** The models to race at this batch size, in order. */
    Map<String, Model> at(long batch);
  }

  /**
   * Times models on a device.
   *
   * @param repeats samples of each variant and batch size
   * @throws IllegalArgumentException for a simulated device: its times say nothing
   */
  public static Latency measure(Device device, Variants variants, List<Long> batches, int repeats) {
    refuseSimulated(device.info());
    List<Row> rows = new ArrayList<>();
    for (long batch : batches) {
      Map<String, Model> models = variants.at(batch);
      List<Spread> spreads =
          Bound.with(
              device,
              List.copyOf(models.values()),
              batch,
              passes ->
                  Stopwatch.race(device, passes, new Stopwatch.Options(repeats, SAMPLE_MICROS)));
      Map<String, Spread> byName = new LinkedHashMap<>();
      for (String name : models.keySet()) {
        byName.put(name, spreads.get(byName.size()));
      }
      rows.add(new Row(batch, byName));
    }
    return new Latency(device.info(), rows);
  }

  /** The device's facts that belong beside every timing, in a stable order. */
  public Map<String, String> provenance() {
    Map<String, String> facts = new TreeMap<>(device.details());
    facts.put("device", device.description());
    return facts;
  }

  /**
   * Refuses to time a simulated device.
   *
   * @throws IllegalArgumentException when it is one
   */
  public static void refuseSimulated(DeviceInfo info) {
    if (info.simulated()) {
      throw new IllegalArgumentException(
          "device '"
              + info.name()
              + "' is simulated, so times taken on it say nothing; measure on a real device");
    }
  }
}
