package io.github.secateur.prune;

import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * What other tools keep of one layer, each rule as its tool computes it; {@link MaskRule} says what
 * each does. Sorting in boxed indices: these are for comparing, not for speed.
 */
final class MaskRules {
  private static final int SPARSEGPT_COLUMNS = 128;

  private MaskRules() {}

  /**
   * Scores of a layer, flat as its weight is stored; low ones go first.
   *
   * @param scores none is NaN
   */
  record Ranked(Layer layer, float[] scores) {}

  /** What an unstructured rule with a sparsity for each layer keeps. */
  static boolean[] kept(MaskRule rule, Ranked ranked, double sparsity) {
    return switch (rule) {
      case TFMOT -> atLeastTheThreshold(ranked.scores, floatCount(ranked, sparsity));
      case JAXPRUNER -> highest(ranked.scores, floatCount(ranked, sparsity));
      case WANDA -> ofEachOutput(ranked, sparsity);
      case SPARSEGPT -> aboveTheBlockThreshold(ranked, sparsity);
      case SECATEUR, TORCH ->
          throw new IllegalArgumentException(rule + " is selected on the device");
    };
  }

  /** max(1, round-half-even(n (1 − s))) in single precision, as TensorFlow and JAX compute it. */
  private static int floatCount(Ranked ranked, double sparsity) {
    float kept = (float) ranked.scores.length * (1 - (float) sparsity);
    return Math.min(ranked.scores.length, (int) Math.max(1, Math.rint(kept)));
  }

  private static boolean[] atLeastTheThreshold(float[] scores, int count) {
    float[] sorted = scores.clone();
    Arrays.sort(sorted);
    float threshold = sorted[sorted.length - count];
    boolean[] kept = new boolean[scores.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = scores[i] >= threshold;
    }
    return kept;
  }

  private static boolean[] highest(float[] scores, int count) {
    boolean[] kept = new boolean[scores.length];
    IntStream.range(0, scores.length)
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> scores[i] + 0f).reversed())
        .limit(count)
        .forEach(i -> kept[i] = true);
    return kept;
  }

  private static boolean[] ofEachOutput(Ranked ranked, double sparsity) {
    Matrix matrix = Matrix.of(ranked.layer);
    boolean[] kept = new boolean[ranked.scores.length];
    Arrays.fill(kept, true);
    for (int row = 0; row < matrix.rows; row++) {
      int output = row;
      IntStream.range(0, matrix.columns)
          .map(column -> matrix.flat(output, column))
          .boxed()
          .sorted(Comparator.comparing(i -> ranked.scores[i] + 0f))
          .limit((long) (matrix.columns * sparsity))
          .forEach(i -> kept[i] = false);
    }
    return kept;
  }

  private static boolean[] aboveTheBlockThreshold(Ranked ranked, double sparsity) {
    Matrix matrix = Matrix.of(ranked.layer);
    boolean[] kept = new boolean[ranked.scores.length];
    for (int first = 0; first < matrix.columns; first += SPARSEGPT_COLUMNS) {
      int width = Math.min(SPARSEGPT_COLUMNS, matrix.columns - first);
      float[] block = new float[matrix.rows * width];
      for (int i = 0; i < block.length; i++) {
        block[i] = ranked.scores[matrix.flat(i / width, first + i % width)];
      }
      float[] sorted = block.clone();
      Arrays.sort(sorted);
      int at = (int) (block.length * sparsity);
      float threshold = sorted[Math.min(at, block.length - 1)];
      for (int i = 0; i < block.length; i++) {
        kept[matrix.flat(i / width, first + i % width)] = block[i] > threshold;
      }
    }
    return kept;
  }

  /** JaxPruner's N:M: among equal scores of a group the higher index is kept. */
  static boolean[] higherOfGroups(Pattern.NM nm, Ranked ranked) {
    Shape s = Cuts.around(ranked.layer, nm.axis());
    int along = (int) s.dim(1);
    int across = (int) s.dim(2);
    boolean[] kept = new boolean[ranked.scores.length];
    for (int line = 0; line < s.dim(0) * across; line++) {
      for (int first = 0; first < along; first += nm.m()) {
        int begin = (line / across * along + first) * across + line % across;
        IntStream.range(0, nm.m())
            .map(i -> begin + i * across)
            .boxed()
            .sorted(Comparator.comparing(i -> ranked.scores[i] + 0f))
            .skip(nm.m() - nm.n())
            .forEach(i -> kept[i] = true);
      }
    }
    return kept;
  }

  /** The matrix [outputs, inputs times window] of a stored weight. */
  private record Matrix(int rows, int columns, int window, boolean outputsFirst) {
    static Matrix of(Layer layer) {
      Shape outputs = Cuts.around(layer, Pattern.Axis.OUTPUT);
      boolean first = layer.outputAxis() < layer.inputAxis();
      long rows = first ? outputs.dim(0) * outputs.dim(1) : outputs.dim(1);
      return new Matrix((int) rows, (int) (layer.size() / rows), (int) outputs.dim(2), first);
    }

    int flat(int row, int column) {
      return outputsFirst
          ? row * columns + column
          : (column / window * rows + row) * window + column % window;
    }
  }
}
