package io.github.secateur.sparse;

import io.github.secateur.device.Device;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.DoubleFunction;

/**
 * The sparsity from which a layer of some shape pays sparse on a device at some batch size.
 *
 * @param pattern the kind of pattern: label of the format that fits it, {@code csr} for single
 *     weights anywhere
 * @param sparsity the break-even, 0..1; where even the least sparsity that was measured pays, that
 *     one; null where none does
 * @param points what was measured, by rising sparsity
 */
public record BreakEven(String pattern, Double sparsity, List<Point> points) {
  /** Sparsities that may be measured; fewer than half of them are. */
  private static final double[] LEVELS = {
    0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99
  };

  /** Copies the list. */
  public BreakEven {
    SparseFormat.parse(pattern);
    points = List.copyOf(points);
  }

  /**
   * One measurement.
   *
   * @param sparsity zeros over all weights
   * @param denseMicros median time of the dense product, microseconds
   * @param sparseMicros median time of the fastest sparse one
   * @param format its label
   */
  public record Point(double sparsity, double denseMicros, double sparseMicros, String format) {
    /** Dense over sparse time: above 1 the sparse product is faster. */
    public double speedup() {
      return denseMicros / sparseMicros;
    }
  }

  /**
   * Finds it with random weights, or takes what was found before; a product without bias and
   * activation.
   *
   * @param weight [out, in]
   * @param batch samples a run
   * @param pattern the kind of pattern: Rows for single weights anywhere, Blocks for whole aligned
   *     blocks, NM for as many of every M consecutive inputs (its N is not looked at)
   * @throws IllegalArgumentException for a simulated device, or another shape
   */
  public static BreakEven find(
      Device device, Shape weight, long batch, SparseFormat pattern, Sparsify.Options options) {
    Latency.refuseSimulated(device.info());
    if (weight.rank() != 2 || weight.size() == 0 || batch < 1) {
      throw new IllegalArgumentException(
          "a break-even is that of weights [out, in] and a batch of 1 or more, got %s and %d"
              .formatted(weight, batch));
    }
    TuneFile file = TuneFile.open(options.cache(), device.info());
    LayerShape shape = LayerShape.product(weight.dim(0), weight.dim(1));
    BreakEven found =
        new Tuner(new DeviceTrial(device), file, options).breakEven(shape, batch, pattern);
    file.flush();
    return found;
  }

  /**
   * Bisects for the least sparsity that pays, then interpolates between it and the next: logarithm
   * of the ratio of times over logarithm of density, as times grow with powers of density. N:M
   * patterns know only the sparsities 1 − N/M.
   *
   * @param minimalGain fraction of its time that a layer must save to leave dense
   * @param measure times a sparsity
   */
  static BreakEven search(SparseFormat pattern, double minimalGain, DoubleFunction<Point> measure) {
    double[] levels = levels(pattern);
    TreeMap<Integer, Point> points = new TreeMap<>();
    int above = -1; // does not pay, or is before the first
    int pays = levels.length;
    while (pays - above > 1) {
      int middle = (above + pays) >>> 1;
      Point point = measure.apply(levels[middle]);
      points.put(middle, point);
      if (loss(point, minimalGain) <= 0) {
        pays = middle;
      } else {
        above = middle;
      }
    }
    Double sparsity = null;
    if (pays < levels.length) {
      boolean between = above >= 0 && !(pattern instanceof SparseFormat.NM);
      sparsity =
          between
              ? interpolate(points.get(above), points.get(pays), minimalGain)
              : Double.valueOf(points.get(pays).sparsity);
    }
    List<Point> rising =
        points.values().stream().sorted(Comparator.comparingDouble(Point::sparsity)).toList();
    return new BreakEven(pattern.label(), sparsity, rising);
  }

  private static double[] levels(SparseFormat pattern) {
    if (!(pattern instanceof SparseFormat.NM(int _, int m))) {
      return LEVELS;
    }
    double[] levels = new double[m - 1];
    Arrays.setAll(levels, i -> (i + 1) / (double) m);
    return levels;
  }

  /** Logarithm of the sparse time over what it may be; 0 and less pays. */
  private static double loss(Point point, double minimalGain) {
    return Math.log(point.sparseMicros / (point.denseMicros * (1 - minimalGain)));
  }

  private static double interpolate(Point above, Point pays, double minimalGain) {
    double from = Math.log(1 - above.sparsity);
    double to = Math.log(1 - pays.sparsity);
    double high = loss(above, minimalGain);
    double low = loss(pays, minimalGain);
    return 1 - Math.exp(from + (to - from) * high / (high - low));
  }

  /** For example {@code sparse pays from 81 % on here}. */
  public String sentence() {
    return sparsity == null
        ? "sparse pays at no sparsity up to %s here".formatted(percent(points.getLast().sparsity))
        : "sparse pays from %s on here".formatted(percent(sparsity));
  }

  static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * fraction);
  }
}
