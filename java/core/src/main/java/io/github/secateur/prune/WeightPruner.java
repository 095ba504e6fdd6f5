package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.PruneOps;
import java.util.ArrayList;
import java.util.List;

/**
 * Prunes weights one by one or in groups of one weight tensor, without what the graph ties to it.
 */
final class WeightPruner extends Pruner<WeightScores> {
  private final Site site;
  private final List<Layer> layers;
  private final Strategy.Scored how;
  private final WeightScorer scorer;

  /**
   * @param sparsity asked for; explicit ratios decide themselves
   * @throws IllegalArgumentException when the criterion scores no single weights, or scores do not
   *     fit, or a ratio names an unknown layer
   */
  WeightPruner(
      WeightScorer.Source source,
      Strategy.Scored how,
      double sparsity,
      Limits limits,
      MaskRule rule) {
    super(how.schedule(), Quotas.target(how.allocation(), source.layers(), sparsity));
    this.site = source.site();
    this.layers = List.copyOf(source.layers());
    this.how = how;
    this.scorer = WeightScorer.of(how.criterion(), source);
    if (!(how.pattern() instanceof Pattern.Unstructured)
        || !limits.equals(Limits.NONE)
        || rule != MaskRule.SECATEUR) {
      throw Unbuilt.error();
    }
  }

  @Override
  WeightScores score() {
    return scorer.score();
  }

  @Override
  Quotas allocate(WeightScores scores, double sparsity, double target) {
    return Quotas.of(how.allocation(), layers, sparsity, target);
  }

  @Override
  void mask(WeightScores scores, Quotas quotas) {
    List<PruneOps.Segment> segments = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      DeviceMask mask = site.mask(layers.get(i).parameter());
      segments.add(new PruneOps.Segment(scores.tensors().get(i), mask, mask, quotas.group()[i]));
    }
    try {
      site.device().prune().select(scores.key(), segments, quotas.k());
    } catch (PruneOps.NanScoreException e) {
      throw nan(layers.get(e.segment()), e);
    }
  }

  @Override
  void apply() {
    site.applyMasks(layers.stream().map(Layer::parameter).toList());
  }

  private IllegalArgumentException nan(Layer layer, PruneOps.NanScoreException cause) {
    String what = how.criterion() instanceof Criterion.Magnitude ? "weight" : "score of weight";
    return new IllegalArgumentException(
        "%s '%s' %s is NaN at index %d; no weight was changed"
            .formatted(what, layer.parameter(), layer.shape(), cause.index()),
        cause);
  }
}
