package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * L0 penalty on hard-concrete gates: adds λ · d(expected density) / d log α to the gradient of
 * every log α. λ is steered by {@link DualAscent} every {@value #PERIOD} steps on the expected
 * sparsity.
 *
 * <p>With P_g the expected number of open gates of group g, of n_g, a weight tensor of n weights
 * between gate groups a and b (either may be missing) counts n · P_a/n_a · P_b/n_b expected
 * weights. P of the neighbours is that of the last measurement.
 */
final class GateHook implements TrainHook {
  private static final int PERIOD = 10;
  private static final double FIRST_LAMBDA = 0.1;
  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.05, 1);
  private static final double RAMP = 0.6;

  private final Gates gates;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);
  private double[] open;
  private final List<DeviceTensor> scales = new ArrayList<>();
  private final List<DeviceTensor> expected = new ArrayList<>();

  GateHook(Gates gates, double target) {
    this.gates = gates;
    this.target = target;
    this.open = gates.groups().stream().mapToDouble(Gates.Group::count).toArray();
  }

  @Override
  public String name() {
    return "gates";
  }

  @Override
  public void start(Training training) {
    for (int g = 0; g < gates.groups().size(); g++) {
      scales.add(training.device().toDevice(Tensor.of(Shape.of(), scale(g))));
      expected.add(training.device().empty(DType.F32, Shape.of()));
    }
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void afterGradients(Training training) {
    PruneOps prune = training.device().prune();
    for (int g = 0; g < gates.groups().size(); g++) {
      String logAlpha = gates.groups().get(g).logAlpha();
      prune.hardConcreteL0(
          training.parameters().get(logAlpha),
          scales.get(g),
          expected.get(g),
          training.gradient(logAlpha));
    }
  }

  @Override
  public void afterStep(Training training) {
    if ((training.step() + 1) % PERIOD == 0) {
      steer(training);
    }
  }

  private void steer(Training training) {
    Device device = training.device();
    for (int g = 0; g < open.length; g++) {
      open[g] = device.toHost(expected.get(g)).getFloat(0);
    }
    dual.update(
        gates.expectedSparsity(open),
        DualAscent.ramp(target, RAMP, training.step(), training.totalSteps()));
    for (int g = 0; g < open.length; g++) {
      device.upload(Tensor.of(Shape.of(), scale(g)), scales.get(g));
    }
  }

  private float scale(int group) {
    return (float) (dual.lambda() * gates.densityPerOpenGate(group, open));
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("dual", dual.state());
    long[] bits = new long[open.length];
    for (int g = 0; g < bits.length; g++) {
      bits[g] = Double.doubleToRawLongBits(open[g]);
    }
    state.put("open", Tensor.ofLongs(Shape.of(bits.length), bits));
    return state;
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    dual.restore(state.get("dual"));
    long[] bits = state.get("open").toLongs();
    for (int g = 0; g < bits.length; g++) {
      open[g] = Double.longBitsToDouble(bits[g]);
    }
  }

  @Override
  public void finish() {
    scales.forEach(DeviceTensor::close);
    expected.forEach(DeviceTensor::close);
    scales.clear();
    expected.clear();
  }
}
