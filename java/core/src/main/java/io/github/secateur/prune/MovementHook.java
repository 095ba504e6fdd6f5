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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Movement pruning (Sanh et al., arXiv 2005.07683). With M the mask, y = x · (w ⊙ M), and g the
 * gradient of w ⊙ M, which the straight-through rule gives for pruned weights too:
 *
 * <pre>
 *   S ← S − lr · w ⊙ g  (hard)     S ← S − lr · (w ⊙ g + λ/n · σ'(S))  (soft)
 *   gradient of w: g ⊙ M
 * </pre>
 *
 * Hard (section 4): before the schedule's steps the share that it names goes, lowest S first. Soft:
 * before every step what has S ≤ 0 goes; S starts at {@value #FIRST_SCORE}, of the size of a few
 * steps' movement, and λ is steered by {@link DualAscent} every {@value #PERIOD} steps so that the
 * measured sparsity follows the schedule. In both, the schedule's last step cuts exactly, and M
 * stays. S, all of S's weights n, lives in the model, so that checkpoints hold it.
 */
final class MovementHook implements TrainHook {
  /** First S of the soft form. */
  static final float FIRST_SCORE = 1e-7f;

  private static final int PERIOD = 10;
  private static final double FIRST_LAMBDA = 1e-2;
  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.2, 1);

  private final Stages stages;
  private final Strategy.Movement how;
  private final List<Layer> layers;
  private final double target;
  private final DualAscent dual = new DualAscent(FIRST_LAMBDA, GAINS);
  private double learned = Double.NaN;
  private final List<DeviceTensor> products = new ArrayList<>();
  private final List<DeviceTensor> ones = new ArrayList<>();
  private DeviceTensor rate;
  private DeviceTensor push;
  private LatentSite site;

  MovementHook(Stages stages, Strategy.Movement how) {
    this.stages = stages;
    this.how = how;
    this.layers = stages.changeable();
    this.target = Quotas.target(how.allocation(), stages.layers(), stages.sparsity());
  }

  @Override
  public String name() {
    return "movement";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void start(Training training) {
    Device device = training.device();
    site = new LatentSite(training, LatentWeights.FORWARD);
    rate = device.toDevice(Tensor.of(Shape.of(), 0f));
    push = device.toDevice(Tensor.of(Shape.of(), 0f));
    for (Layer layer : layers) {
      products.add(device.empty(DType.F32, layer.shape()));
      if (how.soft()) {
        ones.add(device.empty(DType.F32, layer.shape()));
        device.nn().fill(1, ones.getLast());
      }
    }
  }

  private static DeviceTensor scores(Training training, Layer layer) {
    return training.parameters().get(layer.parameter() + LatentWeights.KEPT);
  }

  @Override
  public void beforeStep(Training training) {
    Device device = training.device();
    float lr = training.learningRate();
    device.upload(Tensor.of(Shape.of(), lr), rate);
    if (how.soft()) {
      float step = (float) (lr * dual.lambda() / Quotas.total(layers));
      device.upload(Tensor.of(Shape.of(), step), push);
    }
    long step = training.step();
    long last = Schedules.lastPruning(how.schedule(), training.totalSteps());
    boolean prunes =
        how.soft() ? step == last : Schedules.prunesAt(how.schedule(), step, training.totalSteps());
    if (prunes) {
      learned = how.soft() ? sparsity(training) : Double.NaN;
      cut(training);
    } else if (how.soft() && step < last) {
      for (int i = 0; i < layers.size(); i++) {
        DeviceTensor s = scores(training, layers.get(i));
        DeviceTensor set = site.set(layers.get(i).parameter());
        // relu'(S) = 1 where S > 0, else 0.
        device.nn().unaryGrad(NnOps.Unary.RELU, 0, s, s, ones.get(i), set);
      }
    }
  }

  /** The share of the schedule's moment, lowest S first; all may come back. */
  private void cut(Training training) {
    Map<String, Tensor> scores = new LinkedHashMap<>();
    for (Layer layer : stages.layers()) {
      scores.put(layer.parameter(), training.device().toHost(scores(training, layer)));
    }
    Strategy.Scored lowest =
        new Strategy.Scored(
            new Criterion.Given(scores),
            new Pattern.Unstructured(),
            how.allocation(),
            how.schedule());
    site.lift();
    new Pruners(stages.dense(), stages.layers(), lowest, stages.sparsity(), stages.options())
        .of(site, null)
        .step(training.step(), training.totalSteps());
  }

  @Override
  public void afterGradients(Training training) {
    NnOps nn = training.device().nn();
    for (int i = 0; i < layers.size(); i++) {
      String name = layers.get(i).parameter();
      DeviceTensor g = training.gradient(name);
      DeviceTensor s = scores(training, layers.get(i));
      DeviceTensor product = products.get(i);
      if (how.soft()) {
        nn.unary(NnOps.Unary.SIGMOID, 0, s, product);
        nn.unaryGrad(NnOps.Unary.SIGMOID, 0, s, product, ones.get(i), product);
        nn.binary(NnOps.Binary.MUL, product, push, product);
        nn.binary(NnOps.Binary.SUB, s, product, s);
      }
      nn.binary(NnOps.Binary.MUL, training.parameters().get(name), g, product);
      nn.binary(NnOps.Binary.MUL, product, rate, product);
      nn.binary(NnOps.Binary.SUB, s, product, s);
      nn.binary(NnOps.Binary.MUL, g, site.set(name), g);
    }
  }

  @Override
  public void afterStep(Training training) {
    long done = training.step() + 1;
    long last = Schedules.lastPruning(how.schedule(), training.totalSteps());
    if (how.soft() && done % PERIOD == 0 && done <= last) {
      dual.update(
          sparsity(training),
          Schedules.sparsityAt(how.schedule(), target, done, training.totalSteps()));
    }
  }

  /** Zeros of M over all weights. */
  private double sparsity(Training training) {
    PruneOps prune = training.device().prune();
    long kept = 0;
    for (Layer layer : layers) {
      String name = layer.parameter();
      kept += prune.keptCount(site.mask(name)) - prune.keptZeros(site.mask(name), site.set(name));
    }
    return 1 - (double) kept / Math.max(1, Quotas.total(layers));
  }

  /** Sparsity that the soft form had reached by itself when it was cut. */
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
    if (site != null) {
      site.close();
      rate.close();
      push.close();
    }
    products.forEach(DeviceTensor::close);
    ones.forEach(DeviceTensor::close);
    products.clear();
    ones.clear();
  }
}
