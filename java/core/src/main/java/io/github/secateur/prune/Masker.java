package io.github.secateur.prune;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps.NanScoreException;
import io.github.secateur.tensor.Mask;
import java.util.List;

/** Makes the masks of a pruning step from scores of single weights: what a {@link Pattern} does. */
sealed interface Masker
    permits UnstructuredMasker, OutputMasker, GroupMasker, BoxMasker, RuleMasker {
  /**
   * What a step is made of.
   *
   * @param scores of the layers
   * @param quotas weights to prune, by groups of layers
   * @param sparsity of this step over all layers
   * @param progress how far the schedule has come: the sparsity of this step over the final one
   */
  record Step(WeightScores scores, Quotas quotas, double sparsity, double progress) {}

  /**
   * Shrinks the masks of all layers, or, when a score is NaN, none.
   *
   * @throws IllegalArgumentException naming weight and index of a NaN
   */
  void mask(Step step);

  /**
   * The sparsity over all layers that this ends at.
   *
   * @param asked for by the allocation
   */
  default double target(double asked) {
    return asked;
  }

  /**
   * What a masker works on.
   *
   * @param layers in the order of the scores
   */
  record Work(Site site, List<Layer> layers, Criterion criterion) {
    /** The error for a NaN that a device found. */
    IllegalArgumentException nan(NanScoreException e) {
      return nan(layers.get(e.segment()), e.index(), e);
    }

    /** The error for a NaN at a flat index of a layer's scores. */
    IllegalArgumentException nan(Layer layer, long index, Exception cause) {
      String what = criterion instanceof Criterion.Magnitude ? "weight" : "score of weight";
      return new IllegalArgumentException(
          "%s '%s' %s is NaN at index %d; no weight was changed"
              .formatted(what, layer.parameter(), layer.shape(), index),
          cause);
    }

    /** The first NaN among the scores of weights that are not pruned; −1 when there is none. */
    long firstNan(int layer, DeviceTensor scores) {
      float[] values = site.device().toHost(scores).toFloats();
      Mask mask = site.device().toHost(site.mask(layers.get(layer).parameter()));
      for (int i = 0; i < values.length; i++) {
        if (Float.isNaN(values[i]) && mask.kept(i)) {
          return i;
        }
      }
      return -1;
    }
  }

  /** The masker of a pattern. */
  static Masker of(Pattern pattern, Work work) {
    return switch (pattern) {
      case Pattern.Unstructured _ -> new UnstructuredMasker(work);
      case Pattern.NM nm -> new GroupMasker(work, nm);
      case Pattern.Block block ->
          new BoxMasker(work, work.layers().stream().map(l -> Cuts.blocks(l, block)).toList());
      case Pattern.Line(Pattern.Axis axis) ->
          new BoxMasker(work, work.layers().stream().map(l -> Cuts.lines(l, axis)).toList());
      case Pattern.Neuron _, Pattern.Given _ ->
          throw new IllegalArgumentException(
              "neurons and given masks are not made from scores of single weights");
    };
  }
}
