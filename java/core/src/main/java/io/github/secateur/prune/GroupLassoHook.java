package io.github.secateur.prune;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Group lasso λ · Σ c_g ‖w_g‖₂ by its proximal step after each optimizer step ({@link
 * GroupShrinkage}). λ is steered by {@link DualAscent} every {@value #PERIOD} steps on the weights
 * that are gone: of a layer that groups with live shares a and b touch, a · b is left.
 */
final class GroupLassoHook implements TrainHook {
  private static final int PERIOD = 10;
  private static final double FIRST_LAMBDA = 1e-6;
  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.3, 1);
  private static final double RAMP = 0.85;

  private final List<Layer> layers;
  private final List<LassoGroups> groups;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);
  private final List<GroupShrinkage> shrinkages = new ArrayList<>();
  private DeviceTensor threshold;
  private double learned = Double.NaN;

  GroupLassoHook(List<Layer> layers, List<LassoGroups> groups, double target) {
    this.layers = layers;
    this.groups = groups;
    this.target = target;
  }

  @Override
  public String name() {
    return "group-lasso";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void start(Training training) {
    threshold = training.device().toDevice(Tensor.of(Shape.of(), 0f));
    groups.forEach(g -> shrinkages.add(new GroupShrinkage(training.device(), g)));
  }

  /** t = lr · λ · √(bias correction), to be divided by √v. */
  @Override
  public void beforeStep(Training training) {
    double t = training.learningRate() * dual.lambda() * Math.sqrt(training.momentCorrection());
    training.device().upload(Tensor.of(Shape.of(), (float) t), threshold);
  }

  @Override
  public void afterUpdate(Training training) {
    shrinkages.forEach(
        s -> s.shrink(threshold, training.parameters()::get, training::secondMoment));
  }

  @Override
  public void afterStep(Training training) {
    long done = training.step() + 1;
    if (done % PERIOD == 0 || done == training.totalSteps()) {
      learned = sparsity();
      double t = done / Math.max(1, RAMP * training.totalSteps());
      dual.update(learned, DualAscent.geometricRamp(target, t));
    }
  }

  private double sparsity() {
    double[] alive = shrinkages.stream().mapToDouble(GroupShrinkage::alive).toArray();
    double left = 0;
    for (Layer layer : layers) {
      double kept = layer.size();
      for (int g = 0; g < alive.length; g++) {
        kept *= groups.get(g).touched().contains(layer.parameter()) ? alive[g] : 1;
      }
      left += kept;
    }
    return 1 - left / Math.max(1, Quotas.total(layers));
  }

  /** Sparsity at the last measurement. */
  double learned() {
    return learned;
  }

  @Override
  public Map<String, Tensor> state() {
    return Map.of(
        "dual",
        dual.state(),
        "learned",
        Tensor.ofLongs(Shape.of(1), Double.doubleToRawLongBits(learned)));
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    dual.restore(state.get("dual"));
    learned = Double.longBitsToDouble(state.get("learned").getLong(0));
  }

  @Override
  public void finish() {
    shrinkages.forEach(GroupShrinkage::close);
    shrinkages.clear();
    if (threshold != null) {
      threshold.close();
    }
  }
}
