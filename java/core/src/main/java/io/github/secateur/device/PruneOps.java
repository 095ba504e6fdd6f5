package io.github.secateur.device;

import io.github.secateur.tensor.Shape;
import java.util.List;

/**
 * Importance scores, exact thresholds, masks, and the steps of sparsifying training. Tie rule
 * everywhere: among equal scores the lower flat index is kept. A NaN score is an error that leaves
 * masks untouched.
 */
public interface PruneOps {
  /** Order of a norm. */
  enum Norm {
    L1,
    L2
  }

  /** How scores are ranked: by magnitude, or as signed numbers. */
  enum Key {
    ABS,
    SIGNED
  }

  /** What is averaged over the samples of a calibration set, per unit. */
  enum Statistic {
    MEAN,
    MEAN_ABS,
    RMS,
    ONE_MINUS_APOZ
  }

  /** scores = |w| or w², one a weight. w is F32, F16 or BF16, scores are F32. */
  void scoreMagnitude(Norm norm, DeviceTensor w, DeviceTensor scores);

  /** Scores of a weight and its gradient. */
  enum GradientScore {
    /**
     * |w · g|: first-order Taylor (Molchanov et al. 2019, arXiv 1906.10771); with the gradient at
     * initialisation, SNIP (Lee et al. 2019, arXiv 1810.02340) before its normalisation.
     */
    TAYLOR,
    /**
     * −w · g, signed, accumulated over steps (Sanh et al. 2020, arXiv 2005.07683); with g = H ∇,
     * GraSP (Wang et al. 2020, arXiv 2002.07376).
     */
    MOVEMENT,
    /** g²: the diagonal of the empirical Fisher matrix, accumulated over batches. */
    FISHER
  }

  /**
   * scores = f(w, g), or scores + f(w, g) with {@code accumulate}.
   *
   * @param w of the type of g; may be null for {@link GradientScore#FISHER}
   * @param g F32, F16 or BF16
   * @param scores F32
   */
  void scoreGradient(
      GradientScore kind, boolean accumulate, DeviceTensor w, DeviceTensor g, DeviceTensor scores);

  /**
   * Norm of each unit's weights, which are F32, F16 or BF16.
   *
   * @param axis 0: one score a row of w [rows, cols]; 1: one a column
   */
  void scoreUnits(Norm norm, int axis, DeviceTensor w, DeviceTensor scores);

  /**
   * Adds a batch x [rows, units] of F32, F16 or BF16 to F64 accumulators [4, units] (sum, sum |x|,
   * sum x², nonzeros).
   */
  void accumulateActivation(DeviceTensor x, DeviceTensor accumulators);

  /** Per-unit scores [units] from accumulators over {@code count} samples. */
  void activationScores(
      Statistic statistic, long count, DeviceTensor accumulators, DeviceTensor scores);

  /**
   * One tensor of a selection.
   *
   * @param scores F32, F16 or BF16, the same in all; any shape
   * @param previous what was pruned before, or null; may be {@code mask}
   * @param mask written: same shape
   * @param group index of the group that ranks it
   */
  record Segment(DeviceTensor scores, DeviceMask previous, DeviceMask mask, int group) {}

  /**
   * Result for a group.
   *
   * @param pruned elements pruned (exactly k, or more if more were pruned before)
   * @param threshold largest pruned score, NaN when none was ranked
   * @param tied elements that share the threshold
   * @param path 0 trivial, 1 sampled one-pass, 2 fallback
   * @param bytesRead of scores and masks, all passes
   */
  record Selection(long pruned, float threshold, long tied, int path, long bytesRead) {}

  /**
   * Prunes exactly the {@code k[g]} lowest-ranked elements of each group g. Already pruned elements
   * count first, whatever their scores. Waits once, for the results.
   *
   * @throws NanScoreException naming segment and index; every mask is then untouched
   */
  List<Selection> select(Key key, List<Segment> segments, long[] k);

  /**
   * The pattern N:M of a matrix.
   *
   * @param n kept of every m, 1 to m
   * @param m group size, up to 32
   * @param axis 1: groups run along the columns of a row; 0: along the rows of a column
   */
  record NM(int n, int m, int axis) {
    /** Checks the ranges. */
    public NM {
      if (n < 1 || n > m || m > 32 || axis < 0 || axis > 1) {
        throw new IllegalArgumentException(
            "no pattern %d:%d along axis %d; wanted 1 <= n <= m <= 32, axis 0 or 1"
                .formatted(n, m, axis));
      }
    }
  }

  /**
   * Keeps, of every m consecutive elements, the n with the highest scores; of a last group of r
   * &lt; m elements ceil(r · n / m). Elements already pruned count first toward what is pruned.
   * Waits once, for the verdict on NaNs.
   *
   * @param scores [rows, cols], or several such matrices [matrices, rows, cols], from one to the
   *     next of which no group runs; F32, F16 or BF16
   * @param previous what was pruned before, or null; may be {@code mask}
   * @param mask written
   * @throws NanScoreException naming the index; the mask is then untouched
   */
  void selectNM(Key key, NM pattern, DeviceTensor scores, DeviceMask previous, DeviceMask mask);

  /** w = +0 where the mask prunes. */
  void applyMask(DeviceMask mask, DeviceTensor w);

  /** The same for tensor i under mask i, for many at once. */
  default void applyMasks(List<DeviceMask> masks, List<DeviceTensor> tensors) {
    checkPairs(masks, tensors);
    for (int i = 0; i < masks.size(); i++) {
      applyMask(masks.get(i), tensors.get(i));
    }
  }

  /** Checks the arguments of {@link #applyMasks}: one mask for each tensor. */
  static void checkPairs(List<DeviceMask> masks, List<DeviceTensor> tensors) {
    if (masks.size() != tensors.size()) {
      throw new IllegalArgumentException(
          "applyMasks: %d masks for %d tensors; give one for each"
              .formatted(masks.size(), tensors.size()));
    }
  }

  /** Number of kept elements. */
  long keptCount(DeviceMask mask);

  /** Number of kept elements of w that are ±0. */
  long keptZeros(DeviceMask mask, DeviceTensor w);

  /**
   * mask &amp;= units: prunes whole rows (axis 0) or columns (axis 1) of a matrix.
   *
   * @param units mask over [rows] or [cols]
   */
  void maskUnits(int axis, DeviceMask units, DeviceMask mask);

  /** How the scores of a box become one score. */
  enum Pooling {
    /** Their mean. */
    MEAN,
    /** The mean of |score|. */
    MAGNITUDES,
    /** The mean of score². */
    SQUARES,
    /** The largest |score|. */
    LARGEST
  }

  /**
   * A tensor [planes, rows, columns] cut into boxes from its corner, cut off at the far edges.
   *
   * @param tensor three axes, none empty
   * @param box extents of a box, 1 to those of the tensor
   */
  record Boxes(Shape tensor, Shape box) {
    /** Checks the extents. */
    public Boxes {
      boolean fits = tensor.rank() == 3 && box.rank() == 3;
      for (int d = 0; fits && d < 3; d++) {
        fits = box.dim(d) >= 1 && box.dim(d) <= tensor.dim(d);
      }
      if (!fits) {
        throw new IllegalArgumentException(
            "boxes %s do not cut a tensor %s; give three axes of 1 to its extents"
                .formatted(box, tensor));
      }
    }

    /** Number of boxes along each axis; they are numbered in this shape. */
    public Shape grid() {
      long[] across = new long[3];
      for (int d = 0; d < 3; d++) {
        across[d] = (tensor.dim(d) + box.dim(d) - 1) / box.dim(d);
      }
      return Shape.of(across);
    }
  }

  /**
   * One score a box. Pruned elements count as 0 whatever their scores; a mean is over all elements
   * of the box. Sums are double, in the order of {@code kernels/common/reduce.h} over a box's
   * elements row by row.
   *
   * @param scores F32
   * @param mask over the elements
   * @param pooled F32, one a box; NaN where a kept score of the box is
   * @param live over the boxes, written: kept where an element is kept
   */
  void scoreBoxes(
      Pooling pooling, Boxes boxes, Masked scores, DeviceTensor pooled, DeviceMask live);

  /** A tensor and the mask over it. */
  record Masked(DeviceTensor tensor, DeviceMask mask) {}

  /**
   * mask &amp;= boxes: prunes whole boxes.
   *
   * @param kept mask over the boxes
   */
  void maskBoxes(Boxes boxes, DeviceMask kept, DeviceMask mask);

  /**
   * w = sign(w) · max(|w| − threshold, 0), the proximal L1 step; threshold is an F32 scalar on the
   * device.
   */
  void softThreshold(DeviceTensor threshold, DeviceTensor w, DeviceMask mask);

  /**
   * The proximal L1 step in the metric of Adam, after {@link NnOps#adamStep} with the same block: w
   * = sign(w) · max(|w| − t, 0), t = lr · λ / (√v / √(1 − β2^step) + ε), weight by weight. A weight
   * stays at zero where its mean gradient is below λ (ProxGen: Yun, Lozano &amp; Yang, arXiv
   * 2003.07336, section 4).
   *
   * @param block of {@link NnOps#uploadAdam}
   * @param lambda F32 scalar on the device, 0 or more
   * @param v second moment of w
   * @param mask may be null
   */
  void softThresholdAdam(
      Buffer block, DeviceTensor lambda, DeviceTensor v, DeviceTensor w, DeviceMask mask);

  /** Hard-concrete gates z for a training step (Louizos et al. 2018); state as in {@link NnOps}. */
  void hardConcrete(DeviceTensor state, long salt, DeviceTensor logAlpha, DeviceTensor z);

  /** dLogAlpha = dz · dz/dlogAlpha for the same draw. */
  void hardConcreteGrad(
      DeviceTensor state,
      long salt,
      DeviceTensor logAlpha,
      DeviceTensor dz,
      DeviceTensor dLogAlpha);

  /** Evaluation gates: no noise. */
  void hardConcreteEval(DeviceTensor logAlpha, DeviceTensor z);

  /**
   * Expected number of open gates into {@code expected} (scalar); adds scale · its derivative to
   * {@code dLogAlpha} when that is not null.
   */
  void hardConcreteL0(
      DeviceTensor logAlpha, DeviceTensor scale, DeviceTensor expected, DeviceTensor dLogAlpha);

  /** A score was NaN. */
  final class NanScoreException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final int segment;
    private final long index;

    /** Names the segment (its position in the list) and the flat index in it. */
    public NanScoreException(int segment, long index) {
      super(
          "select",
          Status.NAN_SCORE,
          "score %d of tensor %d is NaN; masks are unchanged".formatted(index, segment));
      this.segment = segment;
      this.index = index;
    }

    /** Position of the tensor in the list of segments. */
    public int segment() {
      return segment;
    }

    /** Flat index of its first NaN. */
    public long index() {
      return index;
    }
  }
}
