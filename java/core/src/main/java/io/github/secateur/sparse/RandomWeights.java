package io.github.secateur.sparse;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * Random weights with zeros of a kind of pattern: what break-evens are found with, and benchmarks
 * of shapes.
 */
public final class RandomWeights {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RandomWeights() {}

  /**
   * A weight [out, in] with exactly round(sparsity · places) of its places empty, all choices alike
   * likely; values are uniform in ±[0.5, 1).
   *
   * @param shape [out, in]
   * @param pattern what a place is: for Blocks an aligned block (of which the matrix may hold but a
   *     part at its edges), for NM one of M consecutive inputs of an output (each such group has as
   *     many empty), else one weight
   * @param sparsity 0..1
   */
  public static Tensor of(Shape shape, SparseFormat pattern, double sparsity, long seed) {
    if (shape.rank() != 2 || !(sparsity >= 0 && sparsity <= 1)) {
      throw new IllegalArgumentException(
          "random weights need a shape [out, in] and a sparsity in [0, 1], got %s and %s"
              .formatted(shape, sparsity));
    }
    SplittableRandom random = new SplittableRandom(seed);
    Tensor weight = Tensor.zeros(DType.F32, shape);
    int out = Math.toIntExact(shape.dim(0));
    int in = Math.toIntExact(shape.dim(1));
    int rows = pattern instanceof SparseFormat.Blocks(int r, int _) ? r : 1;
    int cols = pattern instanceof SparseFormat.Blocks(int _, int c) ? c : 1;
    int across = (in + cols - 1) / cols;
    int group = pattern instanceof SparseFormat.NM(int _, int m) ? m : 0;
    Draw draw = new Draw(random, (long) across * ((out + rows - 1) / rows), sparsity);
    float[][] band = new float[rows][in];
    for (int top = 0; top < out; top += rows) {
      int height = Math.min(rows, out - top);
      for (int c = 0; c < across; c++) {
        if (group > 0 && c % group == 0) {
          draw = new Draw(random, Math.min(group, across - c), sparsity);
        }
        boolean kept = draw.keepsNext();
        for (int r = 0; r < height; r++) {
          for (int i = c * cols; i < Math.min(in, (c + 1) * cols); i++) {
            band[r][i] = kept ? value(random.nextInt()) : 0;
          }
        }
      }
      for (int r = 0; r < height; r++) {
        MemorySegment.copy(band[r], 0, weight.data(), F32, 4L * (top + r) * in, in);
      }
    }
    return weight;
  }

  /** Selection sampling: of so many places a fixed number is kept, decided one after another. */
  private static final class Draw {
    private final SplittableRandom random;
    private long places;
    private long kept;

    Draw(SplittableRandom random, long places, double sparsity) {
      this.random = random;
      this.places = places;
      this.kept = places - (long) Math.rint(sparsity * places);
    }

    boolean keepsNext() {
      boolean keeps = random.nextDouble() * places < kept;
      places--;
      kept -= keeps ? 1 : 0;
      return keeps;
    }
  }

  /** Sign and mantissa of 24 random bits, exponent that of 0.5. */
  private static float value(int bits) {
    return Float.intBitsToFloat(bits & 0x807fffff | 0x3f000000);
  }

  /** The transpose of a matrix. */
  static Tensor transpose(Tensor matrix) {
    int rows = Math.toIntExact(matrix.shape().dim(0));
    int cols = Math.toIntExact(matrix.shape().dim(1));
    Tensor result = Tensor.zeros(DType.F32, Shape.of(cols, rows));
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < cols; c++) {
        result.setFloat(c * rows + r, matrix.getFloat(r * cols + c));
      }
    }
    return result;
  }
}
