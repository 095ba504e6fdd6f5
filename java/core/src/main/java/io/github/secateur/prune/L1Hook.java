package io.github.secateur.prune;

import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.List;
import java.util.Map;

/**
 * L1 penalty by its proximal step in the metric of the optimizer ({@link Training#softThreshold})
 * after each optimizer step, for every prunable weight, biases untouched. λ is steered by {@link
 * DualAscent} every {@value #PERIOD} steps on the measured fraction of weights that are exactly
 * zero.
 *
 * <p>In that metric λ is compared with gradients, not with Adam's normalised steps: a weight rests
 * at zero where its mean gradient is below λ, so that a small λ holds it and little is taken off
 * the weights that stay. A plain threshold lr · λ would need a λ hundreds of times as large, which
 * empties whole units that fine-tuning cannot bring back.
 */
final class L1Hook implements TrainHook {
  private static final int PERIOD = 10;

  /** Below the gradients of a trained network, so that λ comes from beneath what is needed. */
  private static final double FIRST_LAMBDA = 1e-6;

  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.5, 1);
  private static final double RAMP = 0.85;

  private final List<Layer> layers;
  private final List<String> weights;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);

  L1Hook(List<Layer> layers, double target) {
    this.layers = layers;
    this.weights = layers.stream().map(Layer::parameter).toList();
    this.target = target;
  }

  @Override
  public String name() {
    return "l1";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void beforeStep(Training training) {
    training.setPenalty((float) dual.lambda());
  }

  @Override
  public void afterUpdate(Training training) {
    training.softThreshold(weights);
  }

  @Override
  public void afterStep(Training training) {
    if ((training.step() + 1) % PERIOD == 0) {
      double t = (training.step() + 1) / Math.max(1, RAMP * training.totalSteps());
      dual.update(zeros(training), DualAscent.geometricRamp(target, t));
    }
  }

  private double zeros(Training training) {
    PruneOps prune = training.device().prune();
    long kept = 0;
    for (Layer layer : layers) {
      DeviceTensor weight = training.parameters().get(layer.parameter());
      DeviceMask mask = training.mask(layer.parameter());
      kept += prune.keptCount(mask) - prune.keptZeros(mask, weight);
    }
    return 1 - (double) kept / Math.max(1, Quotas.total(layers));
  }

  @Override
  public Map<String, Tensor> state() {
    return Map.of("dual", dual.state());
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    dual.restore(state.get("dual"));
  }
}
