package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * N:M: of every m consecutive weights along an axis n stay, of a last group of r &lt; m ceil(r n /
 * m). Layers with fewer than m along the axis stay as they are. The budget is not read; a gradual
 * schedule goes from m − 1 of m down to n of m, one fewer each time it has come another (m − n)-th
 * of its way.
 */
final class GroupMasker implements Masker {
  private final Work work;
  private final Pattern.NM pattern;

  /**
   * @throws IllegalArgumentException when no layer has m weights along the axis
   */
  GroupMasker(Work work, Pattern.NM pattern) {
    this.work = work;
    this.pattern = pattern;
    requireTaken(work.layers(), pattern);
  }

  /**
   * Refuses a pattern that prunes nothing.
   *
   * @throws IllegalArgumentException when no layer has m weights along the axis
   */
  static void requireTaken(List<Layer> layers, Pattern.NM pattern) {
    if (layers.stream().noneMatch(layer -> takes(layer, pattern))) {
      throw new IllegalArgumentException(
          "no layer has %d %ss to apply %d:%d to; take a smaller M or the other axis"
              .formatted(
                  pattern.m(),
                  pattern.axis() == Pattern.Axis.INPUT ? "input" : "output",
                  pattern.n(),
                  pattern.m()));
    }
  }

  /** Whether the pattern prunes a layer. */
  static boolean takes(Layer layer, Pattern.NM pattern) {
    return Cuts.around(layer, pattern.axis()).dim(1) >= pattern.m();
  }

  @Override
  public double target(double asked) {
    long pruned = 0;
    for (Layer layer : work.layers()) {
      if (takes(layer, pattern)) {
        Shape s = Cuts.around(layer, pattern.axis());
        long rest = s.dim(1) % pattern.m();
        long kept = Math.ceilDiv(rest * pattern.n(), pattern.m());
        long ofLine = s.dim(1) / pattern.m() * (pattern.m() - pattern.n()) + rest - kept;
        pruned += s.dim(0) * s.dim(2) * ofLine;
      }
    }
    return (double) pruned / Quotas.total(work.layers());
  }

  @Override
  public void mask(Step step) {
    int m = pattern.m();
    int gone = (int) Math.floor((m - pattern.n()) * step.progress() + 1e-9);
    if (gone == 0) {
      return;
    }
    requireNumbers(step);
    for (int i = 0; i < work.layers().size(); i++) {
      Layer layer = work.layers().get(i);
      if (takes(layer, pattern)) {
        Shape s = Cuts.around(layer, pattern.axis());
        boolean rows = s.dim(2) == 1;
        Shape matrices = rows ? Shape.of(s.dim(0), s.dim(1)) : s;
        DeviceTensor scores = step.scores().tensors().get(i).view(matrices);
        DeviceMask mask = work.site().mask(layer.parameter());
        PruneOps.NM nm = new PruneOps.NM(m - gone, m, rows ? 1 : 0);
        try {
          work.site().device().prune().selectNM(step.scores().key(), nm, scores, mask, mask);
        } catch (PruneOps.NanScoreException e) {
          throw work.nan(layer, e.index(), e);
        }
      }
    }
  }

  /**
   * Layers are pruned one after the other, so a NaN in the last must be found before the first is:
   * selecting nothing looks for it.
   */
  private void requireNumbers(Step step) {
    if (work.layers().size() == 1) {
      return;
    }
    List<PruneOps.Segment> segments = new ArrayList<>();
    for (int i = 0; i < work.layers().size(); i++) {
      DeviceMask mask = work.site().mask(work.layers().get(i).parameter());
      segments.add(new PruneOps.Segment(step.scores().tensors().get(i), mask, mask, 0));
    }
    try {
      work.site().device().prune().select(step.scores().key(), segments, new long[] {0});
    } catch (PruneOps.NanScoreException e) {
      throw work.nan(e);
    }
  }
}
