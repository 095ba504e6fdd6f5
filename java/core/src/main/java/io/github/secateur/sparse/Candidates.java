package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseFormat.Blocks;
import io.github.secateur.device.SparseFormat.Gather;
import io.github.secateur.device.SparseFormat.NM;
import io.github.secateur.device.SparseFormat.Rows;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * The sparse formats that are worth timing for a weight: single nonzeros always, gathered ones for
 * few activations, blocks and N:M where the pattern has so much of their kind that they can win.
 *
 * <p>A format can win when the elements that it stores, each at the least time that it may take
 * relative to one of {@code csr}, take less than the nonzeros of {@code csr}. These factors are
 * optimistic on purpose: they only spare measurements that are lost beforehand.
 */
public final class Candidates {
  /** Activations up to which gathering is tried. */
  static final long GATHER_BATCH = 16;

  /** Block shapes that are timed at most, those of least cost. */
  private static final int MOST_BLOCKS = 3;

  /** A format that stores this fraction of all elements is a dense product. */
  private static final double MOST = 0.9;

  private Candidates() {}

  /**
   * Formats to time for a weight, {@code csr} first.
   *
   * @param weight F32 [out, in]
   * @param supported which formats the device has
   * @param batch activations of a product
   */
  public static List<SparseFormat> of(
      Tensor weight, Predicate<SparseFormat> supported, long batch) {
    return of(WeightPattern.of(weight, false), supported, batch);
  }

  /**
   * Formats to time, {@code csr} first.
   *
   * @param supported which formats the device has
   */
  static List<SparseFormat> of(
      WeightPattern pattern, Predicate<SparseFormat> supported, long batch) {
    List<SparseFormat> formats = new ArrayList<>();
    formats.add(new Rows());
    if (batch <= GATHER_BATCH) {
      formats.add(new Gather());
    }
    pattern.groups().stream()
        .filter(supported)
        .filter(format -> canWin(pattern, format))
        .min(Comparator.comparingDouble((NM f) -> cost(pattern, f)).thenComparing(NM::m))
        .ifPresent(formats::add);
    WeightPattern.BLOCKS.stream()
        .filter(supported)
        .filter(format -> canWin(pattern, format))
        .sorted(Comparator.comparingDouble((Blocks f) -> cost(pattern, f)))
        .limit(MOST_BLOCKS)
        .forEach(formats::add);
    formats.removeIf(supported.negate());
    return formats;
  }

  /** Formats to time for a layer: convolutions have one. */
  static List<SparseFormat> of(SparseLayer layer, Predicate<SparseFormat> supported, long rows) {
    return layer.isConvolution() ? List.of(new Rows()) : of(layer.pattern(), supported, rows);
  }

  private static boolean canWin(WeightPattern pattern, SparseFormat format) {
    double all = (double) pattern.out() * pattern.in();
    return cost(pattern, format) < pattern.nonzeros() && pattern.stored(format) < MOST * all;
  }

  private static double cost(WeightPattern pattern, SparseFormat format) {
    return pattern.stored(format) * leastTime(format);
  }

  /** Time of a stored element at best, in that of one of {@code csr}. */
  private static double leastTime(SparseFormat format) {
    return switch (format) {
      case Rows _, Gather _ -> 1;
      // One index serves r weights, and an activation that is loaded meets all of them.
      case Blocks(int rows, int cols) when cols == 1 -> rows < 8 ? 0.55 : 0.5;
      case Blocks(int rows, int cols) when rows == 1 -> 0.7;
      case Blocks(int rows, int _) -> rows < 4 ? 0.65 : rows < 16 ? 0.5 : 0.3;
      case NM _ -> 0.7;
    };
  }
}
