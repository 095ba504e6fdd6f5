package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.PruneOps.Boxes;
import io.github.secateur.device.PruneOps.Pooling;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Prunes boxes of weights whole: blocks, rows or columns. A box's score is the mean of its weights'
 * scores (for magnitudes of order p of |w|^p; of order infinity the largest), so that boxes cut off
 * at an edge, and lines of layers of different sizes, compare by what a weight of theirs is worth.
 *
 * <p>Of each group of layers the lowest boxes go: as many that the pruned weights come nearest to
 * the group's quota, of two equally near numbers the smaller. Where all boxes have one size that
 * number is known; else it is searched for, since more boxes never prune fewer weights.
 */
final class BoxMasker implements Masker {
  private final Work work;
  private final List<Boxes> boxes;
  private final boolean bySquares;
  private final boolean byLargest;

  /**
   * @param boxes of each layer
   * @throws IllegalArgumentException when the criterion is a magnitude of an order other than 1, 2
   *     and infinity
   */
  BoxMasker(Work work, List<Boxes> boxes) {
    this.work = work;
    this.boxes = List.copyOf(boxes);
    double order = work.criterion() instanceof Criterion.Magnitude(double p) ? p : 1;
    this.bySquares = order == 2;
    this.byLargest = order == Double.POSITIVE_INFINITY;
    if (order != 1 && !bySquares && !byLargest) {
      throw new IllegalArgumentException(
          "blocks and lines are scored by norms of order 1, 2 or infinity, got %s; take one of those"
              .formatted(order));
    }
  }

  @Override
  public void mask(Step step) {
    List<Pooled> pooled = new ArrayList<>();
    try {
      for (int i = 0; i < boxes.size(); i++) {
        pooled.add(pool(step.scores(), i));
      }
      Selection selection = new Selection(step, pooled);
      selection.search();
      for (Pooled p : pooled) {
        prune().maskBoxes(p.boxes, p.kept, p.mask);
      }
    } catch (PruneOps.NanScoreException e) {
      throw nan(step.scores(), e);
    } finally {
      pooled.forEach(Pooled::close);
    }
  }

  private PruneOps prune() {
    return work.site().device().prune();
  }

  /** The boxes of one layer on the device. */
  private record Pooled(
      Boxes boxes, DeviceTensor scores, DeviceMask live, DeviceMask kept, DeviceMask mask)
      implements AutoCloseable {
    @Override
    public void close() {
      scores.close();
      live.close();
      kept.close();
    }
  }

  private Pooled pool(WeightScores scores, int i) {
    Device device = work.site().device();
    Boxes cut = boxes.get(i);
    DeviceMask mask = work.site().mask(work.layers().get(i).parameter());
    Pooled p =
        new Pooled(
            cut, device.empty(DType.F32, cut.grid()), empty(cut.grid()), empty(cut.grid()), mask);
    PruneOps.Masked masked = new PruneOps.Masked(scores.tensors().get(i), mask);
    device.prune().scoreBoxes(pooling(scores.key()), cut, masked, p.scores, p.live);
    return p;
  }

  /** A mask, contents undefined. */
  private DeviceMask empty(Shape shape) {
    long bytes = Math.max(4, Mask.byteSize(shape));
    return new DeviceMask(work.site().device().allocate(bytes), shape);
  }

  private Pooling pooling(PruneOps.Key key) {
    return switch (key) {
      case SIGNED -> Pooling.MEAN;
      case ABS -> byLargest ? Pooling.LARGEST : bySquares ? Pooling.SQUARES : Pooling.MAGNITUDES;
    };
  }

  /** The error for a box whose score is NaN: one of its weights', or a sum of two infinities. */
  private IllegalArgumentException nan(WeightScores scores, PruneOps.NanScoreException e) {
    long index = work.firstNan(e.segment(), scores.tensors().get(e.segment()));
    Layer layer = work.layers().get(e.segment());
    if (index >= 0) {
      return work.nan(layer, index, e);
    }
    return new IllegalArgumentException(
        "the scores of block %d of weight '%s' %s add up to no number; no weight was changed"
            .formatted(e.index(), layer.parameter(), layer.shape()),
        e);
  }

  /** Finds for each group of layers the number of boxes that comes nearest to its quota. */
  private final class Selection {
    private final PruneOps.Key key;
    private final int[] group;
    private final long[] quota;
    private final List<Pooled> pooled;
    private final long[] low; // the largest number of boxes known to prune no more than the quota
    private final long[] lowWeights; // what it prunes
    private final long[] high; // the smallest known to prune more
    private final long[] highWeights;

    Selection(Step step, List<Pooled> pooled) {
      this.key = step.scores().key();
      this.group = step.quotas().group();
      this.quota = step.quotas().k();
      this.pooled = pooled;
      this.low = new long[quota.length];
      this.lowWeights = new long[quota.length];
      this.high = new long[quota.length];
      this.highWeights = new long[quota.length];
    }

    /** Leaves the chosen boxes in {@code kept} of each layer. */
    void search() {
      long[] size = new long[quota.length]; // of every live box of the group, −1 when they differ
      for (int i = 0; i < pooled.size(); i++) {
        Pooled p = pooled.get(i);
        int g = group[i];
        long count = p.boxes.grid().size();
        long dead = count - prune().keptCount(p.live);
        long pruned = p.mask.size() - prune().keptCount(p.mask);
        low[g] += dead;
        lowWeights[g] += pruned;
        high[g] += count;
        highWeights[g] += p.mask.size();
        long own = p.boxes.box().size();
        boolean equal = own * count == p.mask.size() && own * dead == pruned;
        size[g] = equal && (size[g] == 0 || size[g] == own) ? own : -1;
      }
      long[] k = new long[quota.length];
      boolean known = true;
      for (int g = 0; g < k.length; g++) {
        if (lowWeights[g] >= quota[g]) {
          high[g] = low[g] + 1; // nothing more to prune
          highWeights[g] = Long.MAX_VALUE;
        } else if (size[g] > 0) {
          long more = (quota[g] - lowWeights[g] + (size[g] - 1) / 2) / size[g];
          low[g] = Math.min(high[g], low[g] + more);
          high[g] = low[g] + 1;
          highWeights[g] = Long.MAX_VALUE;
        } else {
          known = false;
        }
        k[g] = low[g];
      }
      for (int round = 0; !known; round++) {
        known = true;
        for (int g = 0; g < k.length; g++) {
          k[g] = high[g] - low[g] > 1 ? between(g, round) : low[g];
        }
        select(k);
        long[] weights = prunedWeights();
        for (int g = 0; g < k.length; g++) {
          if (high[g] - low[g] > 1) {
            narrow(g, k[g], weights[g]);
            known &= high[g] - low[g] == 1;
          }
        }
      }
      for (int g = 0; g < k.length; g++) {
        boolean below = quota[g] - lowWeights[g] <= highWeights[g] - quota[g];
        k[g] = below || highWeights[g] == Long.MAX_VALUE ? low[g] : high[g];
      }
      select(k);
    }

    /** A number strictly between the bounds: by their weights, every other time the middle. */
    private long between(int g, int round) {
      long span = high[g] - low[g];
      double share =
          round % 2 == 1
              ? 0.5
              : (double) (quota[g] - lowWeights[g]) / (highWeights[g] - lowWeights[g]);
      return low[g] + Math.clamp(Math.round(share * span), 1, span - 1);
    }

    private void narrow(int g, long k, long weights) {
      if (weights <= quota[g]) {
        low[g] = k;
        lowWeights[g] = weights;
      } else {
        high[g] = k;
        highWeights[g] = weights;
      }
      if (lowWeights[g] == quota[g]) {
        high[g] = low[g] + 1;
        highWeights[g] = Long.MAX_VALUE;
      }
    }

    private void select(long[] k) {
      List<PruneOps.Segment> segments = new ArrayList<>();
      for (int i = 0; i < pooled.size(); i++) {
        Pooled p = pooled.get(i);
        segments.add(new PruneOps.Segment(p.scores, p.live, p.kept, group[i]));
      }
      prune().select(key, segments, k);
    }

    /** Weights that the masks and the boxes chosen now prune together, by group. */
    private long[] prunedWeights() {
      long[] weights = new long[quota.length];
      Device device = work.site().device();
      for (int i = 0; i < pooled.size(); i++) {
        Pooled p = pooled.get(i);
        try (DeviceMask trial = empty(p.mask.shape())) {
          device.copy(p.mask.words(), 0, trial.words(), 0, Mask.byteSize(p.mask.shape()));
          prune().maskBoxes(p.boxes, p.kept, trial);
          weights[group[i]] += p.mask.size() - prune().keptCount(trial);
        }
      }
      return weights;
    }
  }
}
