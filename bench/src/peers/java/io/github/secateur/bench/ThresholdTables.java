package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PeakRates;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The k smallest of |w| of one large tensor: the exact threshold, and the mask. */
final class ThresholdTables {
  private static final String OURS = "secateur F32";

  private final Run run;
  private final ArrayNode json;
  private final long n;

  ThresholdTables(Run run, ArrayNode json) {
    this.run = run;
    this.json = json;
    this.n = run.quick() ? 1 << 20 : 1 << 26;
  }

  /** All of them, in Markdown. */
  String write() throws IOException {
    Tensor weight = Data.normal(3, n);
    NpyWriter.write(weight, run.folder().resolve("weights.npy"));
    MarkdownTable table =
        new MarkdownTable(
            "sparsity", "threads", "side", "ms", "GB/s read", "of bandwidth", "Secateur F32 is");
    for (int threads : Run.THREADS) {
      try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
        PeakRates peak = Run.peak(device);
        for (double sparsity : new double[] {0.5, 0.9}) {
          Map<String, Times> times = race(device, threads, weight, sparsity);
          ObjectNode row = json.addObject();
          row.put("weights", n).put("threads", threads).put("sparsity", sparsity);
          row.put("readBandwidth", peak.readBandwidth());
          Run.put(row, times);
          rows(table, times, sparsity, threads, peak);
        }
      }
    }
    return "\n2^%d normal weights.\n\n%s".formatted(Long.numberOfTrailingZeros(n), table);
  }

  private void rows(
      MarkdownTable table, Map<String, Times> times, double sparsity, int threads, PeakRates peak) {
    double ours = times.get(OURS).median();
    times.forEach(
        (name, t) -> {
          boolean peer = !name.startsWith("secateur");
          double bytes = n * (double) (name.equals(OURS) ? 4 : 2);
          double rate = peer ? Double.NaN : bytes / (t.median() * 1e-6);
          table.row(
              number("%.0f %%", 100 * sparsity),
              Integer.toString(threads),
              name,
              number("%.1f", t.median() * 1e-3),
              number("%.1f", rate * 1e-9),
              number("%.0f %%", 100 * rate / peak.readBandwidth()),
              peer ? number("%.1f× as fast", t.median() / ours) : "–");
        });
  }

  /**
   * The slow peers take part at one sparsity, once or twice: a run of theirs takes up to a minute.
   */
  private Map<String, Times> race(Device device, int threads, Tensor weight, double sparsity)
      throws IOException {
    System.err.printf("thresholds: threads %d, %.0f %%%n", threads, 100 * sparsity);
    long pruned = Math.round(sparsity * n);
    boolean slow = sparsity == 0.9;
    ObjectNode request = PythonPeer.request("threshold").put("threads", threads);
    request.put("weight", run.folder().resolve("weights.npy").toString());
    request.put("pruned", pruned).put("slow", slow);
    Map<String, Times> times = new LinkedHashMap<>();
    try (DeviceTensor f32 = device.toDevice(weight);
        DeviceTensor f16 = device.toDevice(Data.as(DType.F16, weight));
        DeviceTensor bf16 = device.toDevice(Data.as(DType.BF16, weight));
        DeviceMask mask = device.toDevice(Mask.ones(weight.shape()))) {
      Contestant ours = side(device, OURS, f32, mask, pruned);
      List<Contestant> fast = new ArrayList<>(List.of(ours));
      fast.add(side(device, "secateur F16", f16, mask, pruned));
      fast.add(side(device, "secateur BF16", bf16, mask, pruned));
      List<Contestant> slower = new ArrayList<>();
      double threshold = select(device, f32, mask, pruned).threshold();
      for (Contestant peer : run.python().setUp(request)) {
        (peer.name().startsWith("torch") ? slower : fast).add(peer);
      }
      check(request, threshold);
      for (Contestant side : fast) {
        side.block(0); // first touch
      }
      times.putAll((run.quick() ? new Race(2, 0.01) : new Race(3, 0.8)).run(fast));
      if (!slower.isEmpty()) {
        times.putAll(new Race(1, 0).run(slower));
      }
    }
    return times;
  }

  /** Both sides have to find the same threshold. */
  private void check(ObjectNode request, double threshold) throws IOException {
    double theirs = run.python().ask(request).get("threshold").asDouble();
    if (theirs != threshold) {
      throw new IOException(
          "numpy.partition finds the threshold %s, Secateur %s; no times are shown"
              .formatted(theirs, threshold));
    }
  }

  private static Contestant side(
      Device device, String name, DeviceTensor weight, DeviceMask mask, long pruned) {
    return Contestant.of(name, Run.SPIN_MILLIS, () -> select(device, weight, mask, pruned));
  }

  private static PruneOps.Selection select(
      Device device, DeviceTensor weight, DeviceMask mask, long pruned) {
    return device
        .prune()
        .select(
            PruneOps.Key.ABS,
            List.of(new PruneOps.Segment(weight, null, mask, 0)),
            new long[] {pruned})
        .getFirst();
  }
}
