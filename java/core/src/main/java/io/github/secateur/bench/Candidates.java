package io.github.secateur.bench;

import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The formats worth timing for a weight matrix. */
final class Candidates {
  /** Above so many columns a product that reads nonzeros once for a few activations is hopeless. */
  private static final long MAX_GATHER_COLUMNS = 64;

  /** Blocks that hold less than this share of nonzeros multiply too many zeros to win. */
  private static final double MIN_FILL = 0.45;

  private static final List<SparseFormat.Blocks> USUAL_BLOCKS =
      List.of(
          new SparseFormat.Blocks(4, 1),
          new SparseFormat.Blocks(1, 4),
          new SparseFormat.Blocks(4, 4),
          new SparseFormat.Blocks(8, 8),
          new SparseFormat.Blocks(16, 16),
          new SparseFormat.Blocks(32, 32));

  private Candidates() {}

  /**
   * Single nonzeros always; blocks of the usual sizes, and of the pattern's own, where they are
   * well filled; N:M where the weights keep to it.
   */
  static List<SparseFormat> of(WeightMatrix matrix, Tensor weight, SparseOps sparse) {
    Set<SparseFormat> formats = new LinkedHashSet<>();
    formats.add(new SparseFormat.Rows());
    formats.add(new SparseFormat.Gather());
    Set<SparseFormat.Blocks> blocks = new LinkedHashSet<>(USUAL_BLOCKS);
    if (matrix.pattern().matches("\\d+[x:]\\d+")) {
      SparseFormat own = SparseFormat.parse(matrix.pattern());
      formats.add(own);
      if (own instanceof SparseFormat.Blocks b) {
        blocks.add(b);
      }
    }
    long nonzeros = Nonzeros.count(weight);
    for (SparseFormat.Blocks b : blocks) {
      boolean square = b.rows() == b.cols();
      if (sparse.supports(b)
          && (!square || matrix.out() % b.rows() == 0 && matrix.in() % b.cols() == 0)
          && nonzeros >= MIN_FILL * Nonzeros.inBlocks(weight, b.rows(), b.cols())) {
        formats.add(b);
      }
    }
    int most = Nonzeros.mostInGroups(weight, 4);
    if (most == 1 || most == 2) {
      formats.add(new SparseFormat.NM(most, 4));
    }
    return formats.stream().filter(sparse::supports).toList();
  }

  /** Those of the formats that this many columns may be timed with. */
  static List<SparseOps.PackedWeight> at(long columns, List<SparseOps.PackedWeight> packed) {
    List<SparseOps.PackedWeight> fit = new ArrayList<>();
    for (SparseOps.PackedWeight p : packed) {
      if (!(p.format() instanceof SparseFormat.Gather) || columns <= MAX_GATHER_COLUMNS) {
        fit.add(p);
      }
    }
    return fit;
  }
}
