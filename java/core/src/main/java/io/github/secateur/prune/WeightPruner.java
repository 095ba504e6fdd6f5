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
  private final Allocator allocator;
  private double sparsity; // of this step

  /**
   * @param sparsity asked for; explicit ratios decide themselves
   * @throws IllegalArgumentException when the criterion scores no single weights, or scores do not
   *     fit, or a ratio names an unknown layer, or pattern, rule or limits do not fit
   */
  WeightPruner(
      WeightScorer.Source source,
      Strategy.Scored how,
      double sparsity,
      Limits limits,
      MaskRule rule) {
    Masker.Work work = new Masker.Work(source.site(), source.layers(), how.criterion());
    Masker masker = masker(how, rule, work);
    double asked = Quotas.target(how.allocation(), source.layers(), sparsity);
    super(how.schedule(), masker.target(asked));
    this.masker = masker;
    this.site = source.site();
    this.layers = List.copyOf(source.layers());
    this.how = how;
    this.scorer = WeightScorer.of(how.criterion(), source);
    this.allocator =
        new Allocator(how.allocation(), limits, work, trial -> masker(how, rule, trial));
    if (allocator.restricts()
        && (how.pattern() instanceof Pattern.NM || rule != MaskRule.SECATEUR)) {
      throw new IllegalArgumentException(
          "N:M patterns and the mask rules of other tools take the same share of every group of"
              + " weights, so limits cannot shift it between layers; exclude layers instead");
    }
  }

  private static Masker masker(Strategy.Scored how, MaskRule rule, Masker.Work work) {
    if (rule != MaskRule.SECATEUR) {
      return RuleMasker.of(rule, how, work);
    }
    boolean byOutput =
        how.allocation() instanceof Allocation.PerOutput
            && how.pattern() instanceof Pattern.Unstructured;
    return byOutput ? new OutputMasker(work) : Masker.of(how.pattern(), work);
  }

  @Override
  WeightScores score() {
    return scorer.score();
  }

  @Override
  Quotas allocate(WeightScores scores, double sparsity, double target) {
    this.sparsity = sparsity;
    return allocator.quotas(scores, sparsity, target);
  }

  @Override
  void mask(WeightScores scores, Quotas quotas) {
    double progress = target() == 0 ? 1 : sparsity / target();
    masker.mask(new Masker.Step(scores, quotas, sparsity, progress));
  }

  /** SynFlow's rounds within one step (arXiv 2006.05467, algorithm 1). */
  @Override
  int rounds() {
    return how.criterion() instanceof Criterion.SynFlow(int rounds) ? rounds : 1;
  }

  @Override
  void apply() {
    site.applyMasks(layers.stream().map(Layer::parameter).toList());
  }
}
