package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PeakRates;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Products of a pruned matrix W [out, in] with dense activations.
 *
 * <p>Secateur takes activations as networks have them, x [batch, in], so its times include bringing
 * them into the order of its kernels; the CSR products of the peers take them as [in, batch], which
 * is the faster order for them. Dense products multiply the zeros too, W packed beforehand where
 * the library has a way to.
 */
final class ProductTables {
  private static final String OURS = "secateur ";

  private final Run run;
  private final ArrayNode json;
  private final int size;
  private final Race race;
  private final Set<String> leftOut = new HashSet<>(); // formats that this build has not

  ProductTables(Run run, ArrayNode json) {
    this.run = run;
    this.json = json;
    this.size = run.quick() ? 256 : 2048;
    this.race = run.quick() ? new Race(2, 0.002) : new Race(3, 0.04);
  }

  /** All of them, in Markdown. */
  String write() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int threads : Run.THREADS) {
      try (Device device = Devices.open("cpu", new DeviceOptions(threads))) {
        run.setThreads(threads);
        PeakRates peak = Run.peak(device);
        for (Data.Pattern pattern : Data.Pattern.values()) {
          text.append("\n### %s, %s\n\n".formatted(pattern.words(), threads(threads)));
          MarkdownTable table = header();
          for (double sparsity : sparsities(pattern)) {
            rows(device, threads, peak, pattern, sparsity, table);
          }
          text.append(table);
        }
      }
    }
    return text.toString();
  }

  private static String threads(int threads) {
    return threads == 1 ? "1 thread" : threads + " threads";
  }

  private List<Double> sparsities(Data.Pattern pattern) {
    return switch (pattern) {
      case N2M4 -> List.of(0.5);
      case BLOCKS_4X1 -> run.quick() ? List.of(0.9) : List.of(0.5, 0.7, 0.8, 0.9, 0.95);
      case UNSTRUCTURED -> run.quick() ? List.of(0.9) : List.of(0.5, 0.7, 0.8, 0.9, 0.95, 0.98);
    };
  }

  private List<Integer> batches(Data.Pattern pattern) {
    if (run.quick()) {
      return List.of(1, 64);
    }
    return pattern == Data.Pattern.UNSTRUCTURED
        ? List.of(1, 4, 16, 64, 256)
        : List.of(1, 32, 64, 256);
  }

  private static List<SparseFormat> formats(Data.Pattern pattern) {
    SparseFormat rows = new SparseFormat.Rows();
    SparseFormat gather = new SparseFormat.Gather();
    return switch (pattern) {
      case UNSTRUCTURED -> List.of(rows, gather);
      case BLOCKS_4X1 -> List.of(rows, new SparseFormat.Blocks(4, 1));
      case N2M4 -> List.of(rows, new SparseFormat.NM(2, 4));
    };
  }

  private static MarkdownTable header() {
    return new MarkdownTable(
        "sparsity",
        "columns",
        "Secateur µs",
        "format",
        "useful GFLOP/s",
        "of peak",
        "best dense µs",
        "library",
        "× dense",
        "PyTorch CSR µs",
        "×",
        "MKL CSR µs",
        "×",
        "SciPy CSR µs",
        "×");
  }

  private void rows(
      Device device,
      int threads,
      PeakRates peak,
      Data.Pattern pattern,
      double sparsity,
      MarkdownTable table)
      throws IOException {
    System.err.printf(
        "products: %s, %s, %.0f %%%n", threads(threads), pattern.words(), 100 * sparsity);
    Tensor weight = pattern.weights(device, size, sparsity);
    long nonzeros = Data.nonzeros(weight);
    NpyWriter.write(weight, run.folder().resolve("weight.npy"));
    for (int batch : batches(pattern)) {
      Map<String, Times> times = race(device, threads, formats(pattern), weight, batch);
      ObjectNode row = json.addObject();
      row.put("pattern", pattern.words()).put("threads", threads).put("size", size);
      row.put("sparsity", sparsity).put("columns", batch).put("nonzeros", nonzeros);
      row.put("peakFlops", peak.flops());
      Run.put(row, times);
      table.row(row(times, sparsity, batch, 2.0 * nonzeros * batch, peak.flops()));
    }
  }

  private static String[] row(
      Map<String, Times> times, double sparsity, int batch, double flop, double peak) {
    String ours = best(times, n -> n.startsWith(OURS));
    String dense = best(times, n -> n.endsWith(" dense"));
    String torch = best(times, n -> n.contains("torch") && n.endsWith(" csr"));
    double time = times.get(ours).median();
    double rate = flop / (time * 1e-6);
    double denseTime = times.get(dense).median();
    double torchTime = median(times, torch);
    double mklTime = median(times, "mkl csr");
    double scipyTime = median(times, "scipy csr");
    return new String[] {
      number("%.0f %%", 100 * sparsity),
      Integer.toString(batch),
      number("%.1f", time),
      ours.substring(OURS.length()),
      number("%.1f", rate * 1e-9),
      number("%.0f %%", 100 * rate / peak),
      number("%.1f", denseTime),
      dense.replace(" dense", ""),
      number("%.2f", denseTime / time),
      number("%.1f", torchTime),
      number("%.1f", torchTime / time),
      number("%.1f", mklTime),
      number("%.1f", mklTime / time),
      number("%.1f", scipyTime),
      number("%.1f", scipyTime / time)
    };
  }

  private static String best(Map<String, Times> times, Predicate<String> which) {
    return times.keySet().stream()
        .filter(which)
        .min((a, b) -> Double.compare(times.get(a).median(), times.get(b).median()))
        .orElse("");
  }

  private static double median(Map<String, Times> times, String name) {
    return times.containsKey(name) ? times.get(name).median() : Double.NaN;
  }

  private Map<String, Times> race(
      Device device, int threads, List<SparseFormat> formats, Tensor weight, int batch)
      throws IOException {
    Tensor x = Data.normal(batch, batch, size);
    Tensor columns = Data.transposed(x);
    List<Contestant> sides = new ArrayList<>();
    try (DeviceTensor w = device.toDevice(weight);
        DeviceTensor dx = device.toDevice(x);
        DeviceTensor dy = device.empty(DType.F32, Shape.of(batch, size))) {
      Runnable gemm = () -> device.dense().gemm(DenseOps.Gemm.of(false, true), dx, w, dy);
      gemm.run();
      Tensor wanted = device.toHost(dy);
      for (SparseFormat format : formats) {
        Contestant side;
        try {
          side = ours(device, format, w, dx, dy);
        } catch (DeviceException e) {
          if (leftOut.add(format.label())) {
            System.err.println("without " + format.label() + ": " + e.getMessage());
          }
          continue;
        }
        sides.add(side);
        side.block(0);
        Run.check(side.name(), wanted, device.toHost(dy));
      }
      sides.add(Contestant.of("openblas dense", Run.SPIN_MILLIS, gemm));
      Tensor rows = Tensor.zeros(DType.F32, Shape.of(batch, size));
      addChecked(sides, run.oneDnn().dense(weight, x, rows), wanted, rows);
      addChecked(sides, run.mkl().dense(weight, x, rows), wanted, rows);
      addChecked(sides, run.torch().dense(weight, x, rows), wanted, rows);
      Tensor wantedColumns = Data.transposed(wanted);
      Tensor y = Tensor.zeros(DType.F32, Shape.of(size, batch));
      addChecked(sides, run.torch().sparse(weight, columns, y), wantedColumns, y);
      addChecked(sides, run.mkl().sparse(weight, columns, y), wantedColumns, y);
      sides.addAll(python(threads, columns, wantedColumns));
      return race.run(sides);
    } finally {
      sides.forEach(Contestant::close);
    }
  }

  private static void addChecked(
      List<Contestant> sides, Contestant side, Tensor wanted, Tensor result) throws IOException {
    sides.add(side);
    side.block(0);
    Run.check(side.name(), wanted, result);
    result.data().fill((byte) 0);
  }

  private List<Contestant> python(int threads, Tensor columns, Tensor wanted) throws IOException {
    NpyWriter.write(columns, run.folder().resolve("x.npy"));
    NpyWriter.write(wanted, run.folder().resolve("y.npy"));
    ObjectNode request = PythonPeer.request("product").put("threads", threads);
    request.put("weight", run.folder().resolve("weight.npy").toString());
    request.put("x", run.folder().resolve("x.npy").toString());
    request.put("y", run.folder().resolve("y.npy").toString());
    return run.python().setUp(request);
  }

  private static Contestant ours(
      Device device, SparseFormat format, DeviceTensor w, DeviceTensor x, DeviceTensor y) {
    SparseOps sparse = device.sparse();
    SparseOps.PackedWeight packed = sparse.pack(w, false, null, format);
    Buffer workspace =
        device.allocate(Math.max(1, sparse.workspaceBytes(packed, x.shape().dim(0))));
    Contestant side =
        Contestant.of(
            OURS + format.label(),
            Run.SPIN_MILLIS,
            () -> sparse.matmul(packed, x, Epilogue.NONE, y, workspace));
    return new Owned(
        side,
        () -> {
          workspace.close();
          packed.close();
        });
  }
}
