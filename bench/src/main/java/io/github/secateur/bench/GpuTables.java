package io.github.secateur.bench;

import static io.github.secateur.bench.MarkdownTable.number;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.nn.Networks;
import io.github.secateur.sparse.Stopwatch;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.DataSplit;
import io.github.secateur.train.EpochRecord;
import io.github.secateur.train.TrainOptions;
import io.github.secateur.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The benchmark tables of a CUDA device in Markdown: first the ceilings, measured on the spot (copy
 * bandwidth, rate of dense products), then thresholds and masks, sparse against dense products, and
 * training, each beside its ceiling.
 *
 * <p>Arguments: the file to write; {@code --small} for sizes that a simulated device gets through
 * (no times are taken there).
 */
public final class GpuTables {
  private static final Stopwatch.Options TIMING = new Stopwatch.Options(11, 2000);

  private final Device device;
  private final boolean small;
  private double copyBandwidth; // bytes a second
  private double productRate; // FLOP a second

  private GpuTables(Device device, boolean small) {
    this.device = device;
    this.small = small;
  }

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    boolean small = List.of(arguments).contains("--small");
    Path file = Path.of(arguments[0]);
    try (Device device = Devices.open("cuda", DeviceOptions.defaults())) {
      GpuTables tables = new GpuTables(device, small);
      StringBuilder text = new StringBuilder();
      text.append("# ").append(device.info().description()).append("\n\n");
      device.info().details().forEach((k, v) -> text.append("- %s: %s%n".formatted(k, v)));
      if (device.info().simulated()) {
        text.append("\nA simulated device: every operation ran, nothing was timed.\n");
      }
      text.append("\n## Ceilings\n\n").append(tables.ceilings());
      text.append("\n## Threshold and mask\n\n").append(tables.thresholds());
      text.append("\n## Scores and masks\n\n").append(tables.streaming());
      text.append("\n## Sparse against dense products\n\n").append(tables.products());
      text.append("\n## Training LeNet-300-100\n\n").append(tables.training());
      Files.writeString(file, text);
      System.out.print(text);
    }
  }

  /** Median seconds of one run; on a simulated device it runs once, unmeasured, and is NaN. */
  private double seconds(Runnable work) {
    if (device.info().simulated()) {
      work.run();
      device.synchronize();
      return Double.NaN;
    }
    return Stopwatch.race(device, List.of(work), TIMING).getFirst().median() * 1e-6;
  }

  private MarkdownTable ceilings() {
    long bytes = small ? 1 << 20 : 1L << 30;
    try (Buffer a = device.allocate(bytes);
        Buffer b = device.allocate(bytes)) {
      copyBandwidth = 2.0 * bytes / seconds(() -> device.copy(a, 0, b, 0, bytes));
    }
    int n = small ? 64 : 8192;
    try (DeviceTensor a = uniform(n, n);
        DeviceTensor b = uniform(n, n);
        DeviceTensor c = device.empty(DType.F32, Shape.of(n, n))) {
      DenseOps.Gemm gemm = DenseOps.Gemm.of(false, false);
      productRate = 2.0 * n * n * n / seconds(() -> device.dense().gemm(gemm, a, b, c));
    }
    return new MarkdownTable("ceiling", "measured")
        .row("copy within the device, read + written", number("%.0f GB/s", copyBandwidth * 1e-9))
        .row("dense product, F32, %d³".formatted(n), number("%.1f TFLOP/s", productRate * 1e-12));
  }

  /** The floor of a selection: 4 n bytes of scores read, n / 8 of masks written. */
  private MarkdownTable thresholds() {
    MarkdownTable table =
        new MarkdownTable(
            "weights", "sparsity", "path", "bytes read / 4n", "ms", "floor GB/s", "of copy");
    long n = small ? 1 << 18 : 1L << 26;
    for (Distribution weights : Distribution.values()) {
      try (DeviceTensor scores = device.toDevice(weights.draw(n));
          DeviceMask mask = device.toDevice(Mask.ones(Shape.of(n)))) {
        List<PruneOps.Segment> segments = List.of(new PruneOps.Segment(scores, null, mask, 0));
        for (double sparsity : new double[] {0.5, 0.9}) {
          long[] k = {Math.round(n * sparsity)};
          PruneOps.Selection done = device.prune().select(PruneOps.Key.ABS, segments, k).getFirst();
          double seconds = seconds(() -> device.prune().select(PruneOps.Key.ABS, segments, k));
          double rate = (4.0 * n + n / 8.0) / seconds;
          table.row(
              weights.words,
              number("%.0f %%", 100 * sparsity),
              done.path() == 1 ? "one pass" : "fallback",
              number("%.2f", done.bytesRead() / (4.0 * n)),
              number("%.3f", seconds * 1e3),
              number("%.0f", rate * 1e-9),
              number("%.0f %%", 100 * rate / copyBandwidth));
        }
      }
    }
    return table;
  }

  private MarkdownTable streaming() {
    MarkdownTable table = new MarkdownTable("operation", "bytes", "ms", "GB/s", "of copy");
    long n = small ? 1 << 18 : 1L << 26;
    try (DeviceTensor w = device.toDevice(Distribution.NORMAL.draw(n));
        DeviceTensor scores = device.empty(DType.F32, Shape.of(n));
        DeviceMask mask = device.toDevice(everySecond(n))) {
      PruneOps prune = device.prune();
      stream(
          table,
          "magnitude of each weight",
          8.0 * n,
          () -> prune.scoreMagnitude(PruneOps.Norm.L1, w, scores));
      stream(table, "mask applied, half pruned", 2.125 * n, () -> prune.applyMask(mask, w));
    }
    return table;
  }

  private void stream(MarkdownTable table, String name, double bytes, Runnable work) {
    double seconds = seconds(work);
    table.row(
        name,
        number("%.0f", bytes),
        number("%.3f", seconds * 1e3),
        number("%.0f", bytes / seconds * 1e-9),
        number("%.0f %%", 100 * bytes / seconds / copyBandwidth));
  }

  private MarkdownTable products() {
    MarkdownTable table =
        new MarkdownTable(
            "weights", "batch", "dense µs", "50 %", "70 %", "80 %", "90 %", "95 %", "98 %");
    for (int size : small ? new int[] {64} : new int[] {1024, 2048, 4096}) {
      for (int batch : small ? new int[] {3} : new int[] {1, 16, 64, 256, 1024}) {
        table.row(productRow(size, batch));
      }
    }
    return table;
  }

  /** Microseconds of the sparse product and how many times as fast it is as the dense one. */
  private String[] productRow(int size, int batch) {
    double[] sparsities = {0.5, 0.7, 0.8, 0.9, 0.95, 0.98};
    String[] row = new String[3 + sparsities.length];
    try (DeviceTensor x = uniform(batch, size);
        DeviceTensor y = device.empty(DType.F32, Shape.of(batch, size))) {
      double dense;
      try (DeviceTensor w = uniform(size, size)) {
        DenseOps.Gemm gemm = DenseOps.Gemm.of(false, true);
        dense = seconds(() -> device.dense().gemm(gemm, x, w, y));
      }
      row[0] = size + " × " + size;
      row[1] = Integer.toString(batch);
      row[2] = number("%.1f", dense * 1e6);
      for (int s = 0; s < sparsities.length; s++) {
        double sparse = sparseSeconds(size, sparsities[s], x, y);
        row[3 + s] =
            Double.isNaN(sparse)
                ? "–"
                : number("%.1f", sparse * 1e6) + number(" (%.2f×)", dense / sparse);
      }
    }
    return row;
  }

  private double sparseSeconds(int size, double sparsity, DeviceTensor x, DeviceTensor y) {
    SparseOps sparse = device.sparse();
    try (DeviceTensor w = device.toDevice(sparse(size, sparsity));
        SparseOps.PackedWeight packed = sparse.pack(w, false, null);
        Buffer workspace =
            device.allocate(Math.max(1, sparse.workspaceBytes(packed, x.shape().dim(0))))) {
      return seconds(() -> sparse.matmul(packed, x, Epilogue.NONE, y, workspace));
    }
  }

  private String training() {
    if (small) {
      return "Not run at small size.\n";
    }
    TrainOptions options = TrainOptions.adam(6, 1.2e-3f, 1);
    List<EpochRecord> history =
        new Trainer(
                device,
                Networks.parse("lenet-300-100", 1),
                DataSplit.of(EpochBenchmark.samples()),
                options,
                List.of())
            .run()
            .history();
    double[] seconds =
        history.subList(1, history.size()).stream()
            .mapToDouble(EpochRecord::seconds)
            .sorted()
            .toArray();
    return "Batch 100, Adam, 60,000 samples: %s an epoch (median of %d).%n"
        .formatted(number("%.3f s", seconds[seconds.length / 2]), seconds.length);
  }

  private DeviceTensor uniform(int rows, int cols) {
    return device.toDevice(sparse(rows, cols, 0, 1));
  }

  private static Tensor sparse(int size, double sparsity) {
    return sparse(size, size, sparsity, 2);
  }

  /** Uniform numbers in [-1, 1), each zero with a probability. */
  private static Tensor sparse(int rows, int cols, double sparsity, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor t = Tensor.zeros(DType.F32, Shape.of(rows, cols));
    for (long i = 0; i < t.size(); i++) {
      float value = (float) (random.nextDouble() * 2 - 1);
      t.setFloat(i, random.nextDouble() < sparsity ? 0 : value);
    }
    return t;
  }

  private static Mask everySecond(long n) {
    Mask mask = Mask.ones(Shape.of(n));
    for (long i = 0; i < n; i += 2) {
      mask.set(i, false);
    }
    return mask;
  }

  /** Weights as selections meet them. */
  private enum Distribution {
    NORMAL("normal"),
    MOSTLY_ZERO("60 % zeros"),
    EQUAL("all equal"),
    ROW_SCALED("normal, rows of 4096 scaled by 2^-8..2^8");

    private final String words;

    Distribution(String words) {
      this.words = words;
    }

    Tensor draw(long n) {
      SplittableRandom random = new SplittableRandom(3);
      Tensor t = Tensor.zeros(DType.F32, Shape.of(n));
      float scale = 1;
      for (long i = 0; i < n; i++) {
        if (i % 4096 == 0) {
          scale = (float) Math.pow(2, random.nextInt(17) - 8);
        }
        float value = (float) random.nextGaussian();
        t.setFloat(
            i,
            switch (this) {
              case NORMAL -> value;
              case MOSTLY_ZERO -> random.nextInt(10) < 6 ? 0 : value;
              case EQUAL -> 0.25f;
              case ROW_SCALED -> value * scale;
            });
      }
      return t;
    }
  }
}
