package io.github.secateur.prune;

import java.util.List;

/**
 * Prunes weights one by one or in groups of one weight tensor, without what the graph ties to it.
 */
final class WeightPruner extends Pruner<WeightScores> {
  private final Site site;
  private final List<Layer> layers;
  private final Strategy.Scored how;
  private final WeightScorer scorer;
  private final Masker masker;
  private double sparsity; // of this step

  /**
   * @param sparsity asked for; explicit ratios decide themselves
   * @throws IllegalArgumentException when the criterion scores no single weights, or scores do not
   *     fit, or a ratio names an unknown layer, or the pattern or rule does not fit
   */
  WeightPruner(
      WeightScorer.Source source,
      Strategy.Scored how,
      double sparsity,
      Limits limits,
      MaskRule rule) {
    Masker.Work work = new Masker.Work(source.site(), source.layers(), how.criterion());
    Masker masker =
        rule == MaskRule.SECATEUR ? Masker.of(how.pattern(), work) : RuleMasker.of(rule, how, work);
    double asked = Quotas.target(how.allocation(), source.layers(), sparsity);
    super(how.schedule(), masker.target(asked));
    this.masker = masker;
    this.site = source.site();
    this.layers = List.copyOf(source.layers());
    this.how = how;
    this.scorer = WeightScorer.of(how.criterion(), source);
    if (!limits.equals(Limits.NONE)) {
      throw Unbuilt.error();
    }
  }

  @Override
  WeightScores score() {
    return scorer.score();
  }

  @Override
  Quotas allocate(WeightScores scores, double sparsity, double target) {
    this.sparsity = sparsity;
    return Quotas.of(how.allocation(), layers, sparsity, target);
  }

  @Override
  void mask(WeightScores scores, Quotas quotas) {
    double progress = target() == 0 ? 1 : sparsity / target();
    masker.mask(new Masker.Step(scores, quotas, sparsity, progress));
  }

  @Override
  void apply() {
    site.applyMasks(layers.stream().map(Layer::parameter).toList());
  }
}
