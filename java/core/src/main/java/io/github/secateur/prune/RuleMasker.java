package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Mask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Masks by the counts and ties of other tools, on the host: what {@link MaskRules} keeps of each
 * layer's scores. What was pruned before ranks lowest and stays pruned.
 */
final class RuleMasker implements Masker {
  private final Work work;
  private final MaskRule rule;
  private final Pattern pattern;
  private final Allocation allocation;

  private RuleMasker(Work work, MaskRule rule, Pattern pattern, Allocation allocation) {
    this.work = work;
    this.rule = rule;
    this.pattern = pattern;
    this.allocation = allocation;
  }

  /**
   * The masker of a rule.
   *
   * @throws IllegalArgumentException when the tool has no such pattern or allocation
   */
  static Masker of(MaskRule rule, Strategy.Scored how, Work work) {
    boolean groups = how.pattern() instanceof Pattern.NM;
    if (!groups && !(how.pattern() instanceof Pattern.Unstructured)) {
      throw new IllegalArgumentException(
          "mask rule %s knows only unstructured and N:M masks; use Secateur's own rule"
              .formatted(name(rule)));
    }
    return switch (rule) {
      case SECATEUR -> Masker.of(how.pattern(), work);
      case TORCH -> {
        if (groups) {
          throw new IllegalArgumentException(
              "torch.nn.utils.prune has no N:M pattern; use another mask rule");
        }
        yield new UnstructuredMasker(work);
      }
      case TFMOT, WANDA, SPARSEGPT -> {
        if (groups) {
          yield Masker.of(how.pattern(), work);
        }
        requireOwnSparsity(rule, how.allocation());
        yield new RuleMasker(work, rule, how.pattern(), how.allocation());
      }
      case JAXPRUNER -> {
        if (how.pattern() instanceof Pattern.NM nm) {
          requireWholeGroups(nm, work.layers());
        } else {
          requireOwnSparsity(rule, how.allocation());
        }
        yield new RuleMasker(work, rule, how.pattern(), how.allocation());
      }
    };
  }

  private static String name(MaskRule rule) {
    return rule.name().toLowerCase(Locale.ROOT);
  }

  private static void requireOwnSparsity(MaskRule rule, Allocation allocation) {
    if (allocation instanceof Allocation.Global
        || (allocation instanceof Allocation.PerOutput && rule != MaskRule.WANDA)) {
      throw new IllegalArgumentException(
          "mask rule %s prunes each layer by itself; use the uniform allocation or another with a"
                  .formatted(name(rule))
              + " sparsity for each layer");
    }
  }

  private static void requireWholeGroups(Pattern.NM nm, List<Layer> layers) {
    for (Layer layer : layers) {
      long extent = Cuts.around(layer, nm.axis()).dim(1);
      if (extent % nm.m() != 0) {
        throw new IllegalArgumentException(
            "JaxPruner takes %d:%d only where %d divides the axis, which is %d long in layer '%s'"
                .formatted(nm.n(), nm.m(), nm.m(), extent, layer.name()));
      }
    }
  }

  @Override
  public double target(double asked) {
    return pattern instanceof Pattern.NM nm ? nm.sparsity() : asked;
  }

  @Override
  public void mask(Step step) {
    Device device = work.site().device();
    List<Mask> masks = new ArrayList<>();
    for (int i = 0; i < work.layers().size(); i++) {
      masks.add(masked(step, i));
    }
    for (int i = 0; i < masks.size(); i++) {
      String parameter = work.layers().get(i).parameter();
      device.upload(masks.get(i).words(), work.site().mask(parameter).words(), 0);
    }
  }

  private Mask masked(Step step, int i) {
    Device device = work.site().device();
    Layer layer = work.layers().get(i);
    Mask before = device.toHost(work.site().mask(layer.parameter()));
    float[] scores = device.toHost(step.scores().tensors().get(i)).toFloats();
    for (int j = 0; j < scores.length; j++) {
      if (!before.kept(j)) {
        scores[j] = Float.NEGATIVE_INFINITY;
      } else if (Float.isNaN(scores[j])) {
        throw work.nan(layer, j, null);
      } else if (step.scores().key() == PruneOps.Key.ABS) {
        scores[j] = Math.abs(scores[j]);
      }
    }
    MaskRules.Ranked ranked = new MaskRules.Ranked(layer, scores);
    boolean[] kept =
        pattern instanceof Pattern.NM nm
            ? step.progress() > 0 ? MaskRules.higherOfGroups(nm, ranked) : all(scores.length)
            : MaskRules.kept(rule, ranked, sparsity(step, i));
    Mask mask = Mask.zeros(layer.shape());
    for (int j = 0; j < kept.length; j++) {
      mask.set(j, kept[j] && before.kept(j));
    }
    return mask;
  }

  private static boolean[] all(int n) {
    boolean[] kept = new boolean[n];
    Arrays.fill(kept, true);
    return kept;
  }

  /** Of one layer: as it was asked for where all have the same, else by the layer's quota. */
  private double sparsity(Step step, int i) {
    if (allocation instanceof Allocation.PerLayer || allocation instanceof Allocation.PerOutput) {
      return step.sparsity();
    }
    Quotas quotas = step.quotas();
    return (double) quotas.k()[quotas.group()[i]] / work.layers().get(i).size();
  }
}
