package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.List;
import java.util.Map;

/**
 * L1 penalty by its proximal step: after each optimizer step w ← sign(w) · max(|w| − lr · λ, 0) for
 * every prunable weight, biases untouched (decoupled from the optimizer, as weight decay is in
 * AdamW). λ is steered by {@link DualAscent} every {@value #PERIOD} steps on the measured fraction
 * of weights that are exactly zero.
 */
final class L1Hook implements TrainHook {
  private static final int PERIOD = 10;

  /**
   * Small and slow: a λ that shoots past what the target needs empties whole units, which
   * fine-tuning cannot bring back.
   */
  private static final double FIRST_LAMBDA = 0.01;

  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.05, 1);
  private static final double RAMP = 0.6;

  private final List<Layer> layers;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);
  private DeviceTensor threshold;

  L1Hook(List<Layer> layers, double target) {
    this.layers = layers;
    this.target = target;
  }

  @Override
  public String name() {
    return "l1";
  }

  @Override
  public void start(Training training) {
    threshold = training.device().toDevice(Tensor.of(Shape.of(), 0f));
  }

  @Override
  public void afterStep(Training training) {
    Device device = training.device();
    float shrink = (float) (training.learningRate() * dual.lambda());
    device.upload(Tensor.of(Shape.of(), shrink), threshold);
    for (Layer layer : layers) {
      DeviceTensor weight = training.parameters().get(layer.parameter());
      device.prune().softThreshold(threshold, weight, training.mask(layer.parameter()));
    }
    if ((training.step() + 1) % PERIOD == 0) {
      dual.update(
          zeros(training), DualAscent.ramp(target, RAMP, training.step(), training.totalSteps()));
    }
  }

  private double zeros(Training training) {
    long kept = 0;
    for (Layer layer : layers) {
      DeviceTensor weight = training.parameters().get(layer.parameter());
      var mask = training.mask(layer.parameter());
      kept += training.device().prune().keptCount(mask);
      kept -= training.device().prune().keptZeros(mask, weight);
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

  @Override
  public void finish() {
    if (threshold != null) {
      threshold.close();
      threshold = null;
    }
  }
}
