package io.github.secateur.measure;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.sparse.RandomWeights;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Where synthetic pruned weights W [out, in] have their zeros. Their number is exact: of n = out ·
 * in weights {@code round-half-even(sparsity · n)}, counted in whole blocks where the pattern has
 * blocks.
 */
public sealed interface ZeroPattern {
  /** Every place alike: {@code random}. */
  record Random() implements ZeroPattern {
    @Override
    public String label() {
      return "random";
    }
  }

  /**
   * Rows and columns of unequal density, as magnitude pruning leaves them, since units differ in
   * the scale of their weights: score = |normal| · row scale · column scale, both lognormal with σ
   * = {@value #SIGMA}; {@code skewed}.
   */
  record Skewed() implements ZeroPattern {
    /** Spread of the scales. */
    static final double SIGMA = 0.4;

    @Override
    public String label() {
      return "skewed";
    }
  }

  /**
   * Whole blocks kept or pruned: {@code 4x1}.
   *
   * @param rows outputs of a block
   * @param cols inputs of a block
   */
  record Blocks(int rows, int cols) implements ZeroPattern {
    /** Checks the ranges. */
    public Blocks {
      new SparseFormat.Blocks(rows, cols);
    }

    @Override
    public String label() {
      return rows + "x" + cols;
    }
  }

  /**
   * The n largest of every m consecutive inputs kept, which fixes the sparsity: {@code 2:4}.
   *
   * @param n kept
   * @param m of
   */
  record NM(int n, int m) implements ZeroPattern {
    /** Checks the ranges. */
    public NM {
      new SparseFormat.NM(n, m);
    }

    @Override
    public String label() {
      return n + ":" + m;
    }
  }

  /** Name for tables: {@code random}, {@code skewed}, {@code 4x1}, {@code 2:4}. */
  String label();

  /**
   * The pattern of a {@link #label}.
   *
   * @throws IllegalArgumentException for any other text
   */
  static ZeroPattern parse(String label) {
    switch (label) {
      case "random":
        return new Random();
      case "skewed":
        return new Skewed();
      case "csr", "gather":
        break; // formats, no patterns
      default:
        if (label.matches("\\d{1,3}[x:]\\d{1,3}")) {
          return switch (SparseFormat.parse(label)) {
            case SparseFormat.Blocks(int rows, int cols) -> new Blocks(rows, cols);
            case SparseFormat.NM(int n, int m) -> new NM(n, m);
            default -> throw new IllegalStateException(label);
          };
        }
    }
    throw new IllegalArgumentException(
        "'%s' is no pattern; use random, skewed, RxC such as 4x1, or N:M such as 2:4"
            .formatted(label));
  }

  /** The one sparsity that the pattern can have, or the one asked for. */
  default double sparsity(double wanted) {
    return this instanceof NM(int n, int m) ? 1 - (double) n / m : wanted;
  }

  /**
   * Refuses a matrix that the pattern does not divide.
   *
   * @throws IllegalArgumentException naming pattern and shape
   */
  default void checkFits(long out, long in) {
    long rows = this instanceof Blocks b ? b.rows : 1;
    long cols = this instanceof Blocks b ? b.cols : this instanceof NM nm ? nm.m : 1;
    if (out % rows != 0 || in % cols != 0) {
      throw new IllegalArgumentException(
          "pattern %s does not fit %d x %d weights: %d %s are no multiple of %d"
              .formatted(
                  label(),
                  out,
                  in,
                  out % rows != 0 ? out : in,
                  out % rows != 0 ? "outputs" : "inputs",
                  out % rows != 0 ? rows : cols));
    }
  }

  /**
   * Weights with this pattern.
   *
   * @param sparsity fraction of zeros, 0..1; N:M patterns have their own
   * @param seed the same seed gives the same weights
   * @return F32 [out, in], ±[0.5, 1) where kept
   */
  default Tensor weights(long out, long in, double sparsity, long seed) {
    checkFits(out, in);
    Shape shape = Shape.of(out, in);
    return switch (this) {
      case Random() -> RandomWeights.of(shape, new SparseFormat.Rows(), sparsity, seed);
      case Blocks(int r, int c) ->
          RandomWeights.of(shape, new SparseFormat.Blocks(r, c), sparsity, seed);
      case NM(int n, int m) ->
          RandomWeights.of(shape, new SparseFormat.NM(n, m), sparsity(sparsity), seed);
      case Skewed() -> {
        SplittableRandom random = new SplittableRandom(seed);
        yield values(shape, largest(scores((int) out, (int) in, random), sparsity), random);
      }
    };
  }

  /** Random numbers in ±[0.5, 1) where kept, zeros elsewhere. */
  static Tensor values(Shape shape, boolean[] kept, SplittableRandom random) {
    float[] values = new float[kept.length];
    for (int i = 0; i < values.length; i++) {
      if (kept[i]) {
        float magnitude = 0.5f + (random.nextInt() >>> 9) * 0x1p-24f;
        values[i] = random.nextInt(2) == 0 ? magnitude : -magnitude;
      }
    }
    return Tensor.of(shape, values);
  }

  private static float[] scores(int out, int in, SplittableRandom random) {
    double[] rows = new double[out];
    double[] cols = new double[in];
    Arrays.setAll(rows, r -> Math.exp(Skewed.SIGMA * random.nextGaussian()));
    Arrays.setAll(cols, c -> Math.exp(Skewed.SIGMA * random.nextGaussian()));
    float[] scores = new float[Math.multiplyExact(out, in)];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) (Math.abs(random.nextGaussian()) * rows[i / in] * cols[i % in]);
    }
    return scores;
  }

  /** Keeps all but the k smallest scores; of equal ones the lower index is kept. */
  private static boolean[] largest(float[] scores, double sparsity) {
    int pruned = (int) Math.rint(sparsity * scores.length);
    boolean[] kept = new boolean[scores.length];
    if (pruned == scores.length) {
      return kept;
    }
    float[] sorted = scores.clone();
    Arrays.parallelSort(sorted);
    float threshold = sorted[pruned]; // the smallest kept
    int above = 0;
    for (float s : scores) {
      above += s > threshold ? 1 : 0;
    }
    int ties = scores.length - pruned - above;
    for (int i = 0; i < scores.length; i++) {
      kept[i] = scores[i] > threshold || (scores[i] == threshold && ties-- > 0);
    }
    return kept;
  }
}
