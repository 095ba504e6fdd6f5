package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Weight decay λ · s on the learned thresholds' parameters s (Kusupati et al., arXiv 2002.03231,
 * section 3: s starts far below 0, decay pulls it up and the thresholds σ(s) with it). λ is steered
 * by {@link DualAscent} every {@value #PERIOD} steps on the measured share of |w| ≤ σ(s).
 */
final class StrHook implements TrainHook {
  private static final int PERIOD = 10;
  private static final double FIRST_LAMBDA = 1e-5;
  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.1, 2);
  private static final double RAMP = 0.7;

  private final List<Layer> layers;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);
  private final List<DeviceTensor> above = new ArrayList<>();
  private DeviceTensor lambda;
  private DeviceTensor pull;

  StrHook(List<Layer> layers, double target) {
    this.layers = layers;
    this.target = target;
  }

  @Override
  public String name() {
    return "str";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void start(Training training) {
    Device device = training.device();
    lambda = device.toDevice(Tensor.of(Shape.of(), 0f));
    pull = device.toDevice(Tensor.of(Shape.of(1), 0f));
    for (Layer layer : layers) {
      above.add(device.empty(DType.F32, layer.shape()));
    }
  }

  @Override
  public void beforeStep(Training training) {
    training.device().upload(Tensor.of(Shape.of(), (float) dual.lambda()), lambda);
  }

  @Override
  public void afterGradients(Training training) {
    NnOps nn = training.device().nn();
    for (Layer layer : layers) {
      String s = layer.parameter() + LatentWeights.THRESHOLD;
      nn.binary(NnOps.Binary.MUL, training.parameters().get(s), lambda, pull);
      nn.binary(NnOps.Binary.ADD, training.gradient(s), pull, training.gradient(s));
    }
  }

  @Override
  public void afterStep(Training training) {
    if ((training.step() + 1) % PERIOD == 0) {
      double t = (training.step() + 1) / Math.max(1, RAMP * training.totalSteps());
      dual.update(zeros(training), DualAscent.geometricRamp(target, t));
    }
  }

  /** Share of the weights that their thresholds make 0. */
  private double zeros(Training training) {
    NnOps nn = training.device().nn();
    PruneOps prune = training.device().prune();
    long kept = 0;
    for (int i = 0; i < layers.size(); i++) {
      String name = layers.get(i).parameter();
      nn.unary(
          NnOps.Unary.SIGMOID, 0, training.parameters().get(name + LatentWeights.THRESHOLD), pull);
      DeviceTensor rest = above.get(i);
      nn.unary(NnOps.Unary.ABS, 0, training.parameters().get(name), rest);
      nn.binary(NnOps.Binary.SUB, rest, pull, rest);
      nn.unary(NnOps.Unary.RELU, 0, rest, rest);
      kept += prune.keptCount(training.mask(name)) - prune.keptZeros(training.mask(name), rest);
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
    if (lambda != null) {
      lambda.close();
      pull.close();
    }
    above.forEach(DeviceTensor::close);
    above.clear();
  }
}
