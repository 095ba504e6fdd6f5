package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.tensor.Mask;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Prunes what masks from elsewhere prune, all at once; what was pruned before stays pruned. Nothing
 * is scored.
 */
final class MaskPruner extends Pruner<Pruner.Scores> {
  private final Site site;
  private final List<Layer> layers;
  private final Map<String, Mask> masks;

  /**
   * @throws IllegalArgumentException when a mask does not fit its weight or is for no prunable
   *     weight, or the schedule is not one-shot
   */
  MaskPruner(Site site, List<Layer> layers, Pattern.Given pattern, Schedule schedule) {
    super(schedule, sparsity(layers, pattern.masks()));
    this.site = site;
    this.layers = layers.stream().filter(l -> pattern.masks().containsKey(l.parameter())).toList();
    this.masks = pattern.masks();
    if (!(schedule instanceof Schedule.OneShot)) {
      throw new IllegalArgumentException(
          "given masks are applied at once, so they need the one-shot schedule");
    }
  }

  @Override
  Scores score() {
    return new Scores() {};
  }

  @Override
  Quotas allocate(Scores scores, double sparsity, double target) {
    return Quotas.of(new Allocation.Global(), layers, sparsity, target);
  }

  @Override
  void mask(Scores scores, Quotas quotas) {
    Device device = site.device();
    for (Layer layer : layers) {
      Mask before = device.toHost(site.mask(layer.parameter()));
      Mask both = Masks.and(before, masks.get(layer.parameter()));
      device.upload(both.words(), site.mask(layer.parameter()).words(), 0);
    }
  }

  @Override
  void apply() {
    site.applyMasks(layers.stream().map(Layer::parameter).toList());
  }

  private static double sparsity(List<Layer> layers, Map<String, Mask> masks) {
    TreeSet<String> unknown = new TreeSet<>(masks.keySet());
    long pruned = 0;
    for (Layer layer : layers) {
      Mask mask = masks.get(layer.parameter());
      if (mask != null && !mask.shape().equals(layer.shape())) {
        throw new IllegalArgumentException(
            "the mask of weight '%s' should be over %s, got %s"
                .formatted(layer.parameter(), layer.shape(), mask.shape()));
      }
      pruned += mask == null ? 0 : mask.prunedCount();
      unknown.remove(layer.parameter());
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "there is a mask for '%s', which is no prunable weight; there are %s"
              .formatted(
                  unknown.first(),
                  String.join(", ", layers.stream().map(Layer::parameter).toList())));
    }
    long total = Quotas.total(layers);
    return total == 0 ? 0 : (double) pruned / total;
  }
}
