package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.BatchNormFolding;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.prune.Allocation;
import io.github.secateur.prune.Budget;
import io.github.secateur.prune.Costs;
import io.github.secateur.prune.Criterion;
import io.github.secateur.prune.DataFree;
import io.github.secateur.prune.Limits;
import io.github.secateur.prune.Pattern;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A residual network with channels cut out until half of its operations are left, any number of
 * channels or multiples of 8, in ONNX Runtime and here, with dense layers, beside the whole one.
 */
final class ChannelTables {
  private static final String NETWORK = "resnet-20:3x32x32";
  private static final double SHARE = 0.5;

  private final Run run;
  private final ArrayNode json;

  ChannelTables(Run run, ArrayNode json) {
    this.run = run;
    this.json = json;
  }

  /** All of it, in Markdown. */
  String write() throws IOException {
    MarkdownTable table =
        new MarkdownTable(
            "ResNet-20, channels kept",
            "operations",
            "threads",
            "batch",
            "ONNX Runtime µs",
            "dense / cut",
            "Secateur µs",
            "dense / cut");
    for (int threads : Run.THREADS) {
      try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
        for (long batch : run.quick() ? List.of(1L) : List.of(1L, 64L)) {
          rows(table, threads, device, batch);
        }
      } catch (OrtException e) {
        throw new IOException("ONNX Runtime failed on " + NETWORK, e);
      }
    }
    return "\n" + table;
  }

  private void rows(MarkdownTable table, int threads, Device device, long batch)
      throws IOException, OrtException {
    System.err.printf("%s, channels, threads %d, batch %d%n", NETWORK, threads, batch);
    Model dense = ModelTables.withoutSoftmax(NETWORK);
    List<String> words = List.of("all", "any number", "multiples of 8");
    List<Model> models = List.of(dense, cut(device, dense, 1), cut(device, dense, 8));
    Tensor x =
        Data.normal(batch, batch, 3 * 32 * 32)
            .reshape(dense.graph().inputs().getFirst().shape(batch));
    List<AutoCloseable> open = new ArrayList<>();
    try {
      List<Contestant> sides = new ArrayList<>();
      for (int i = 0; i < models.size(); i++) {
        Model folded = BatchNormFolding.fold(models.get(i));
        Path file = run.folder().resolve("channels" + i + ".onnx");
        OnnxWriter.write(folded, file);
        ModelTables.Ours ours = new ModelTables.Ours(device, folded, x);
        open.add(ours);
        ModelTables.Ort ort = new ModelTables.Ort(file, threads, x, ours.result().shape());
        open.add(ort);
        ort.run();
        Run.check("ONNX Runtime against " + words.get(i), ours.result(), ort.result());
        sides.add(
            Contestant.of(
                "onnx runtime " + i, threads == 1 ? 0 : ModelTables.SPIN_MILLIS, ort::run));
        sides.add(Contestant.of("secateur " + i, ModelTables.SPIN_MILLIS, ours::run));
      }
      Map<String, Times> times = (run.quick() ? new Race(2, 0.005) : new Race(7, 0.1)).run(sides);
      for (int i = 0; i < models.size(); i++) {
        double left =
            (double) Costs.of(models.get(i)).dense().flops() / Costs.of(dense).dense().flops();
        double theirs = times.get("onnx runtime " + i).median();
        double ours = times.get("secateur " + i).median();
        json.addObject()
            .put("channels", words.get(i))
            .put("operations", left)
            .put("threads", threads)
            .put("batch", batch)
            .put("onnx runtime", theirs)
            .put("secateur", ours);
        table.row(
            words.get(i),
            number("%.2f", left),
            Integer.toString(threads),
            Long.toString(batch),
            number("%.1f", theirs),
            number("%.2f", times.get("onnx runtime 0").median() / theirs),
            number("%.1f", ours),
            number("%.2f", times.get("secateur 0").median() / ours));
      }
    } finally {
      for (AutoCloseable each : open.reversed()) {
        try {
          each.close();
        } catch (Exception e) {
          throw new IOException("cannot close what was timed", e);
        }
      }
    }
  }

  /** By the L2 norms of units, the same share of every layer. */
  private static Model cut(Device device, Model dense, int roundTo) {
    DataFree.Options options =
        new DataFree.Options(
            new Criterion.Magnitude(PruneOps.Norm.L2),
            new Pattern.Neuron(roundTo),
            new Allocation.PerLayer(),
            Limits.NONE,
            new Budget.Counted(Budget.Unit.FLOPS, SHARE));
    return Shrinker.shrink(DataFree.prune(device, dense, options).model());
  }
}
