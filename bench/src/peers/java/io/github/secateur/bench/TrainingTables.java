package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * A training step of one masked layer W [out, in], its optimizer left out: y = x Wᵀ, dx = dy W, and
 * dW = dyᵀ x where the mask keeps. Secateur sparse (taking the step's new values into its layouts
 * is part of the time) and with dense products, and PyTorch, whose masked training is dense.
 */
final class TrainingTables {
  private final Run run;
  private final ArrayNode json;
  private final int size;
  private final Race race;

  TrainingTables(Run run, ArrayNode json) {
    this.run = run;
    this.json = json;
    this.size = run.quick() ? 256 : 2048;
    this.race = run.quick() ? new Race(2, 0.005) : new Race(3, 0.1);
  }

  /** All of them, in Markdown. */
  String write() throws IOException {
    MarkdownTable table =
        new MarkdownTable(
            "sparsity",
            "threads",
            "batch",
            "Secateur sparse µs",
            "Secateur dense µs",
            "×",
            "PyTorch µs",
            "×");
    for (int threads : Run.THREADS) {
      try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
        run.setThreads(threads);
        for (double sparsity : run.quick() ? List.of(0.9) : List.of(0.8, 0.9, 0.95, 0.98)) {
          System.err.printf("training: threads %d, %.0f %%%n", threads, 100 * sparsity);
          Tensor weight = Data.Pattern.UNSTRUCTURED.weights(device, size, sparsity);
          for (int batch : run.quick() ? List.of(64) : List.of(64, 256)) {
            Map<String, Times> times = race(device, weight, batch);
            ObjectNode row = json.addObject();
            row.put("threads", threads).put("size", size).put("batch", batch);
            row.put("sparsity", sparsity).put("nonzeros", Data.nonzeros(weight));
            Run.put(row, times);
            row(table, times, sparsity, threads, batch);
          }
        }
      }
    }
    return "\n" + table;
  }

  private static void row(
      MarkdownTable table, Map<String, Times> times, double sparsity, int threads, int batch) {
    double sparse = times.get("secateur sparse").median();
    double dense = times.get("secateur dense").median();
    double torch = times.get("pytorch dense").median();
    table.row(
        number("%.0f %%", 100 * sparsity),
        Integer.toString(threads),
        Integer.toString(batch),
        number("%.1f", sparse),
        number("%.1f", dense),
        number("%.2f", dense / sparse),
        number("%.1f", torch),
        number("%.2f", torch / sparse));
  }

  private Map<String, Times> race(Device device, Tensor weight, int batch) throws IOException {
    Tensor x = Data.normal(batch, batch, size);
    Tensor dy = Data.normal(batch + 1, batch, size);
    Tensor ones = Tensor.zeros(DType.F32, weight.shape());
    Mask kept = Mask.ones(weight.shape());
    for (long i = 0; i < weight.size(); i++) {
      boolean keeps = weight.getFloat(i) != 0;
      ones.setFloat(i, keeps ? 1 : 0);
      kept.set(i, keeps);
    }
    try (Step step = new Step(device, weight, kept, x, dy)) {
      step.dense();
      Tensor wanted = device.toHost(step.gradient);
      Tensor wantedDx = device.toHost(step.dx);
      step.sparse();
      Run.check("the sparse step", wanted, device.toHost(step.gradient));
      Run.check("the sparse step's input gradient", wantedDx, device.toHost(step.dx));
      Tensor gradient = Tensor.zeros(DType.F32, weight.shape());
      try (Contestant torch = run.torch().layerStep(weight, ones, x, dy, gradient)) {
        Run.check("PyTorch's step", wanted, gradient);
        return race.run(
            List.of(
                Contestant.of("secateur sparse", Run.SPIN_MILLIS, step::sparse),
                Contestant.of("secateur dense", Run.SPIN_MILLIS, step::dense),
                torch));
      }
    }
  }

  /** The layer on the device. */
  private static final class Step implements AutoCloseable {
    private final Device device;
    private final DeviceTensor weight;
    private final DeviceMask mask;
    private final DeviceTensor x;
    private final DeviceTensor dy;
    private final DeviceTensor y;
    private final DeviceTensor dx;
    private final DeviceTensor gradient;
    private final SparseOps.PackedWeight packed;
    private final Buffer workspace;

    Step(Device device, Tensor weight, Mask mask, Tensor x, Tensor dy) {
      this.device = device;
      this.weight = device.toDevice(weight);
      this.mask = device.toDevice(mask);
      this.x = device.toDevice(x);
      this.dy = device.toDevice(dy);
      y = device.empty(DType.F32, dy.shape());
      dx = device.empty(DType.F32, x.shape());
      gradient = device.empty(DType.F32, Shape.of(weight.shape().dims()));
      packed = device.sparse().packTrainable(this.weight, false, this.mask);
      long bytes = device.sparse().workspaceBytes(packed, x.shape().dim(0));
      workspace = device.allocate(Math.max(1, bytes));
    }

    void sparse() {
      SparseOps sparse = device.sparse();
      sparse.refresh(packed, weight);
      sparse.matmul(packed, x, Epilogue.NONE, y, workspace);
      sparse.inputGradient(packed, dy, dx, workspace);
      sparse.weightGradient(packed, x, dy, gradient, workspace);
    }

    void dense() {
      device.dense().gemm(Gemm.of(false, true), x, weight, y);
      device.dense().gemm(Gemm.of(false, false), dy, weight, dx);
      device.dense().gemm(Gemm.of(true, false), dy, x, gradient);
      device.prune().applyMask(mask, gradient);
    }

    @Override
    public void close() {
      packed.close();
      mask.close();
      List.of(weight, x, dy, y, dx, gradient).forEach(DeviceTensor::close);
      workspace.close();
    }
  }
}
