package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseFormat.Blocks;
import io.github.secateur.device.SparseFormat.NM;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a weight W [out, in] has nonzeros, in the figures by which a sparse format is chosen:
 *
 * <ul>
 *   <li>nonzeros, and those of the fullest row;
 *   <li>for each block shape, the elements that blocks would store: whole aligned blocks with any
 *       nonzero;
 *   <li>for each M, the most nonzeros in M consecutive inputs of an output.
 * </ul>
 *
 * <p>The weight is read once, into one bit an element; all figures are counted from the bits, 64
 * inputs at a time.
 */
final class WeightPattern {
  /** Block shapes that are counted; sides are powers of two up to 64, so none straddles a word. */
  static final List<Blocks> BLOCKS =
      List.of(
          new Blocks(4, 1),
          new Blocks(8, 1),
          new Blocks(16, 1),
          new Blocks(1, 4),
          new Blocks(1, 8),
          new Blocks(1, 16),
          new Blocks(2, 2),
          new Blocks(4, 4),
          new Blocks(8, 8),
          new Blocks(16, 16),
          new Blocks(32, 32));

  /** Group sizes of N:M that are counted; they divide 64. */
  private static final int[] GROUPS = {4, 8, 16, 32};

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final int out;
  private final int in;
  private final int words; // 64 inputs each, of a row
  private long nonzeros;
  private long fullestRow;
  private final Map<Blocks, Long> stored = new LinkedHashMap<>();
  private final int[] most = new int[GROUPS.length];

  private WeightPattern(int out, int in) {
    this.out = out;
    this.in = in;
    this.words = (in + 63) / 64;
  }

  /**
   * Looks at a weight. Elements equal to ±0 are zeros; NaN is not.
   *
   * @param weight F32, rank 2
   * @param transposed whether it is stored [in, out]
   */
  static WeightPattern of(Tensor weight, boolean transposed) {
    int rows = Math.toIntExact(weight.shape().dim(0));
    int cols = Math.toIntExact(weight.shape().dim(1));
    WeightPattern pattern = new WeightPattern(transposed ? cols : rows, transposed ? rows : cols);
    long[] bits = new long[Math.multiplyExact(pattern.out, pattern.words)];
    int[] row = new int[cols];
    for (int r = 0; r < rows; r++) {
      MemorySegment.copy(weight.data(), INT, 4L * r * cols, row, 0, cols);
      if (transposed) {
        pattern.setColumn(bits, row, r);
      } else {
        pattern.setRow(bits, row, r);
      }
    }
    pattern.count(bits);
    return pattern;
  }

  private void setRow(long[] bits, int[] values, int output) {
    int base = output * words;
    for (int i = 0; i < values.length; i++) {
      bits[base + (i >> 6)] |= (long) nonzero(values[i]) << i;
    }
  }

  private void setColumn(long[] bits, int[] values, int input) {
    int at = input >> 6;
    for (int value : values) {
      bits[at] |= (long) nonzero(value) << input;
      at += words;
    }
  }

  /** 0 for the bits of ±0, else 1. */
  private static int nonzero(int floatBits) {
    int magnitude = floatBits & 0x7fffffff;
    return (magnitude | -magnitude) >>> 31;
  }

  private void count(long[] bits) {
    for (int o = 0; o < out; o++) {
      long row = 0;
      for (int w = o * words; w < (o + 1) * words; w++) {
        row += Long.bitCount(bits[w]);
        countGroups(bits[w]);
      }
      nonzeros += row;
      fullestRow = Math.max(fullestRow, row);
    }
    for (Blocks shape : BLOCKS) {
      stored.put(shape, blocks(bits, shape) * shape.rows() * shape.cols());
    }
  }

  private void countGroups(long word) {
    for (int g = 0; g < GROUPS.length; g++) {
      int m = GROUPS[g];
      long low = (1L << m) - 1;
      for (long rest = word; rest != 0; rest >>>= m) {
        most[g] = Math.max(most[g], Long.bitCount(rest & low));
      }
    }
  }

  private long blocks(long[] bits, Blocks shape) {
    long first = 0; // the bit of each block's first input
    for (int i = 0; i < 64; i += shape.cols()) {
      first |= 1L << i;
    }
    long blocks = 0;
    for (int top = 0; top < out; top += shape.rows()) {
      int end = Math.min(out, top + shape.rows());
      for (int w = 0; w < words; w++) {
        long any = 0;
        for (int o = top; o < end; o++) {
          any |= bits[o * words + w];
        }
        for (int s = 1; s < shape.cols(); s <<= 1) {
          any |= any >>> s;
        }
        blocks += Long.bitCount(any & first);
      }
    }
    return blocks;
  }

  long out() {
    return out;
  }

  long in() {
    return in;
  }

  long nonzeros() {
    return nonzeros;
  }

  /** Zeros over all elements, 0 for an empty weight. */
  double sparsity() {
    return out == 0 || in == 0 ? 0 : 1 - nonzeros / ((double) out * in);
  }

  /** Nonzeros of the fullest row over those of the mean row, 1 and more. */
  double skew() {
    return nonzeros == 0 ? 1 : fullestRow * (double) out / nonzeros;
  }

  /**
   * Elements that a format stores for this weight.
   *
   * @throws IllegalArgumentException for blocks that are not counted
   */
  long stored(SparseFormat format) {
    return switch (format) {
      case SparseFormat.Rows _, SparseFormat.Gather _ -> nonzeros;
      case NM(int n, int m) -> (long) out * ((in + m - 1) / m) * n;
      case Blocks shape -> {
        Long elements = stored.get(shape);
        if (elements == null) {
          throw new IllegalArgumentException("blocks " + shape.label() + " were not counted");
        }
        yield elements;
      }
    };
  }

  /** For each group size M the least N that fits, where N:M leaves anything out. */
  List<NM> groups() {
    List<NM> fits = new ArrayList<>();
    for (int g = 0; g < GROUPS.length; g++) {
      if (most[g] > 0 && most[g] < GROUPS[g]) {
        fits.add(new NM(most[g], GROUPS[g]));
      }
    }
    return fits;
  }
}
