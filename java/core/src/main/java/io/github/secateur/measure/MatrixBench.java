package io.github.secateur.measure;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedWeight;
import io.github.secateur.sparse.Candidates;
import io.github.secateur.sparse.Latency;
import io.github.secateur.sparse.Spread;
import io.github.secateur.sparse.Stopwatch;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Times y [columns, out] = x [columns, in] · Wᵀ of one weight matrix, dense and by every sparse
 * format that the device has and that suits the weights, interleaved. Each sparse result is
 * compared with the dense one before its time counts.
 */
public final class MatrixBench {
  private static final int FILL = 1 << 20; // random activations repeat after as many

  private MatrixBench() {}

  /**
   * How to time.
   *
   * @param timing samples of each competitor
   * @param tolerance largest difference of a sparse result, relative to the largest dense one
   * @param formats the formats to time where the device has them; empty for all that suit
   */
  public record Options(Stopwatch.Options timing, double tolerance, List<SparseFormat> formats) {
    /** Copies the list. */
    public Options {
      formats = List.copyOf(formats);
    }
  }

  /**
   * Time of a product.
   *
   * @param format label of the format; {@code dense}
   * @param bytes of the weights as laid out
   * @param micros time of one product, microseconds
   */
  public record Time(String format, long bytes, Spread micros) {}

  /**
   * The times of a matrix at a batch size.
   *
   * @param matrix what was multiplied
   * @param nonzeros of its weights
   * @param batch samples
   * @param columns columns of the activations
   * @param times dense first
   */
  public record Sample(
      WeightMatrix matrix, long nonzeros, long batch, long columns, List<Time> times) {
    /** Copies the list. */
    public Sample {
      times = List.copyOf(times);
    }
  }

  /**
   * Times a matrix at each batch size.
   *
   * @param watcher is run before each batch size, and may throw to stop
   * @throws IOException when the weights cannot be read
   * @throws IllegalStateException when a sparse result is wrong, naming matrix and format
   */
  public static List<Sample> measure(
      Device device, WeightMatrix matrix, List<Long> batches, Options options, Runnable watcher)
      throws IOException {
    Latency.refuseSimulated(device.info());
    Tensor host = matrix.weights().read();
    long nonzeros = nonzeros(host);
    Map<SparseFormat, PackedWeight> packed = new LinkedHashMap<>();
    List<Sample> samples = new ArrayList<>();
    try (DeviceTensor weight = device.toDevice(host)) {
      for (long batch : batches) {
        watcher.run();
        long columns = batch * matrix.columns();
        List<PackedWeight> competitors = new ArrayList<>();
        for (SparseFormat format : formats(device, matrix, host, columns, options)) {
          if (!packed.containsKey(format)) {
            packed.put(format, pack(device, weight, format));
          }
          if (packed.get(format) != null) {
            competitors.add(packed.get(format));
          }
        }
        List<Time> times = race(device, matrix, weight, competitors, columns, options);
        samples.add(new Sample(matrix, nonzeros, batch, columns, times));
      }
    } finally {
      packed.values().stream().filter(Objects::nonNull).forEach(PackedWeight::close);
    }
    return samples;
  }

  /** Those asked for, or else what can win, and what the pattern is made for. */
  private static Set<SparseFormat> formats(
      Device device, WeightMatrix matrix, Tensor weight, long columns, Options options) {
    if (!options.formats.isEmpty()) {
      return new LinkedHashSet<>(options.formats);
    }
    Set<SparseFormat> formats =
        new LinkedHashSet<>(Candidates.of(weight, device.sparse()::supports, columns));
    if (matrix.pattern().matches("\\d+[x:]\\d+")) {
      formats.add(SparseFormat.parse(matrix.pattern()));
    }
    return formats;
  }

  /** Number of weights that are not ±0. */
  static long nonzeros(Tensor weight) {
    long count = 0;
    for (long i = 0; i < weight.size(); i++) {
      count += weight.getFloat(i) != 0 ? 1 : 0;
    }
    return count;
  }

  /** Null for a format that the device lacks, or that the weights do not fit. */
  private static PackedWeight pack(Device device, DeviceTensor weight, SparseFormat format) {
    if (!device.sparse().supports(format)) {
      return null;
    }
    try {
      return device.sparse().pack(weight, false, null, format);
    } catch (IllegalArgumentException e) {
      if (format instanceof SparseFormat.NM) {
        return null;
      }
      throw e;
    } catch (DeviceException e) {
      if (e.status() == DeviceException.Status.UNAVAILABLE) {
        return null;
      }
      throw e;
    }
  }

  private static List<Time> race(
      Device device,
      WeightMatrix matrix,
      DeviceTensor weight,
      List<PackedWeight> packed,
      long columns,
      Options options) {
    List<Runnable> products = new ArrayList<>();
    List<Buffer> scratch = new ArrayList<>();
    try (DeviceTensor x = device.empty(DType.F32, Shape.of(columns, matrix.in()));
        DeviceTensor y = device.empty(DType.F32, Shape.of(columns, matrix.out()))) {
      fill(device, x);
      Gemm gemm = Gemm.of(false, true);
      products.add(() -> device.dense().gemm(gemm, x, weight, y));
      for (PackedWeight p : packed) {
        Buffer workspace = device.allocate(device.sparse().workspaceBytes(p, columns));
        scratch.add(workspace);
        products.add(() -> device.sparse().matmul(p, x, Epilogue.NONE, y, workspace));
      }
      verify(device, matrix, products, packed, y, options.tolerance);
      List<Spread> spreads = Stopwatch.race(device, products, options.timing);
      List<Time> times = new ArrayList<>();
      times.add(new Time("dense", 4 * matrix.out() * matrix.in(), spreads.get(0)));
      for (PackedWeight p : packed) {
        times.add(new Time(p.format().label(), p.byteSize(), spreads.get(times.size())));
      }
      return times;
    } finally {
      scratch.forEach(Buffer::close);
    }
  }

  private static void fill(Device device, DeviceTensor x) {
    SplittableRandom random = new SplittableRandom(1);
    Tensor some = Tensor.zeros(DType.F32, Shape.of(Math.min(FILL, x.size())));
    for (long i = 0; i < some.size(); i++) {
      some.setFloat(i, 2 * (random.nextInt() >>> 8) * 0x1p-24f - 1);
    }
    for (long offset = 0; offset < x.size(); offset += some.size()) {
      long bytes = 4 * Math.min(some.size(), x.size() - offset);
      device.upload(some.data().asSlice(0, bytes), x.buffer(), 4 * offset);
    }
  }

  private static void verify(
      Device device,
      WeightMatrix matrix,
      List<Runnable> products,
      List<PackedWeight> packed,
      DeviceTensor y,
      double tolerance) {
    products.get(0).run();
    Tensor dense = device.toHost(y);
    double largest = 0;
    for (long i = 0; i < dense.size(); i++) {
      largest = Math.max(largest, Math.abs(dense.getFloat(i)));
    }
    for (int p = 0; p < packed.size(); p++) {
      device.zero(y.buffer(), 0, y.buffer().byteSize());
      products.get(p + 1).run();
      Tensor sparse = device.toHost(y);
      for (long i = 0; i < dense.size(); i++) {
        double difference = Math.abs((double) sparse.getFloat(i) - dense.getFloat(i));
        if (!(difference <= tolerance * largest)) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "%s, pattern %s at sparsity %.4f: format %s gives %g where dense gives %g"
                      + " (column %d, output %d); no time of it would mean anything",
                  matrix.name(),
                  matrix.pattern(),
                  matrix.sparsity(),
                  packed.get(p).format().label(),
                  sparse.getFloat(i),
                  dense.getFloat(i),
                  i / matrix.out(),
                  i % matrix.out()));
        }
      }
    }
  }
}
