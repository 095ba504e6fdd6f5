package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Prunes single weights. Magnitude ranks the weights themselves by |w|, for both norms (w² has the
 * same order); scores of different layers are compared as they are, without normalisation. Random
 * draws the same scores at every step, so that masks are nested.
 */
final class WeightPruner extends Pruner<WeightPruner.WeightScores> {
  private final Site site;
  private final List<Layer> layers;
  private final Strategy.Scored how;

  /**
   * @param sparsity asked for; explicit ratios decide themselves
   * @throws IllegalArgumentException when the criterion scores no single weights, or scores do not
   *     fit, or a ratio names an unknown layer
   */
  WeightPruner(Site site, List<Layer> layers, Strategy.Scored how, double sparsity) {
    super(how.schedule(), Quotas.target(how.allocation(), layers, sparsity));
    this.site = site;
    this.layers = List.copyOf(layers);
    this.how = how;
    switch (how.criterion()) {
      case Criterion.Magnitude _, Criterion.Random _ -> {}
      case Criterion.Given given -> layers.forEach(layer -> requireScores(given, layer));
      case Criterion.Activation _ ->
          throw new IllegalArgumentException(
              "an activation criterion scores neurons, not single weights; use the neuron pattern");
    }
  }

  /** One score a weight: a tensor a layer. */
  record WeightScores(PruneOps.Key key, List<DeviceTensor> tensors, boolean owned)
      implements Scores {
    @Override
    public void close() {
      if (owned) {
        tensors.forEach(DeviceTensor::close);
      }
    }
  }

  @Override
  WeightScores score() {
    return switch (how.criterion()) {
      case Criterion.Magnitude _ ->
          new WeightScores(
              PruneOps.Key.ABS,
              layers.stream().map(layer -> site.weight(layer.parameter())).toList(),
              false);
      case Criterion.Random(long seed) -> random(seed);
      case Criterion.Given(var given) ->
          owned(layers.stream().map(layer -> given.get(layer.parameter())).toList());
      case Criterion.Activation _ -> throw new IllegalStateException("refused when constructed");
    };
  }

  @Override
  Quotas allocate(double sparsity, double target) {
    return Quotas.of(how.allocation(), layers, sparsity, target);
  }

  @Override
  void mask(WeightScores scores, Quotas quotas) {
    List<PruneOps.Segment> segments = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      DeviceMask mask = site.mask(layers.get(i).parameter());
      segments.add(new PruneOps.Segment(scores.tensors.get(i), mask, mask, quotas.group()[i]));
    }
    try {
      site.device().prune().select(scores.key, segments, quotas.k());
    } catch (PruneOps.NanScoreException e) {
      throw nan(layers.get(e.segment()), e);
    }
  }

  @Override
  void apply() {
    site.applyMasks(layers.stream().map(Layer::parameter).toList());
  }

  private WeightScores random(long seed) {
    Device device = site.device();
    List<DeviceTensor> tensors = new ArrayList<>();
    try (DeviceTensor state = device.toDevice(Tensor.ofLongs(Shape.of(2), seed, 0))) {
      for (Layer layer : layers) {
        DeviceTensor scores = device.empty(DType.F32, layer.shape());
        tensors.add(scores);
        device.nn().uniform(state, tensors.size(), scores);
      }
      return new WeightScores(PruneOps.Key.SIGNED, tensors, true);
    } catch (RuntimeException e) {
      tensors.forEach(DeviceTensor::close);
      throw e;
    }
  }

  private WeightScores owned(List<Tensor> scores) {
    List<DeviceTensor> tensors = new ArrayList<>();
    try {
      scores.forEach(tensor -> tensors.add(site.device().toDevice(tensor)));
      return new WeightScores(PruneOps.Key.SIGNED, tensors, true);
    } catch (RuntimeException e) {
      tensors.forEach(DeviceTensor::close);
      throw e;
    }
  }

  private static void requireScores(Criterion.Given given, Layer layer) {
    Tensor scores = given.scores().get(layer.parameter());
    if (scores == null) {
      throw new IllegalArgumentException(
          "there are no scores for weight '%s' of layer '%s'; give an F32 tensor %s of that name"
              .formatted(layer.parameter(), layer.name(), layer.shape()));
    }
    if (scores.dtype() != DType.F32 || !scores.shape().equals(layer.shape())) {
      throw new IllegalArgumentException(
          "scores of weight '%s' should be F32 %s, got %s"
              .formatted(layer.parameter(), layer.shape(), scores));
    }
  }

  private IllegalArgumentException nan(Layer layer, PruneOps.NanScoreException cause) {
    String what = how.criterion() instanceof Criterion.Magnitude ? "weight" : "score of weight";
    return new IllegalArgumentException(
        "%s '%s' %s is NaN at index %d; no weight was changed"
            .formatted(what, layer.parameter(), layer.shape(), cause.index()),
        cause);
  }
}
