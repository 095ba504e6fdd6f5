package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.TrainHook;
import io.github.secateur.train.Training;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Moves living weights: after step t, for (t + 1) a multiple of {@code every} and below the end T,
 * of a layer's a living weights the n with the smallest |w| are dropped, and n others, dead until
 * then, come in at +0 with optimizer state +0 (the optimizer keeps both at +0 while a weight is
 * masked),
 *
 * <pre>
 *   n = min(round-half-even(fraction / 2 · (1 + cos(π (t + 1) / T)) · a), dead weights)
 * </pre>
 *
 * (RigL, Evci et al., arXiv 1911.11134, eq. 1). They grow at random, where |∂L/∂w| of the step just
 * taken is largest, or where its running mean (decay {@value #DECAY}, kept here, since the
 * optimizer forgets masked weights) is; of equal ones the lower index. Sparse momentum's
 * redistribution between layers (arXiv 1907.04840, section 3) is left out: every layer keeps its
 * number.
 *
 * <p>Both choices are selections on the device: the drop ranks the living; the growth ranks the
 * dead, with the living as what is gone already. Masks, 1 bit a weight, are combined on the host.
 */
final class DynamicHook implements TrainHook {
  private static final float DECAY = 0.9f;

  private final List<Layer> layers;
  private final Strategy.Dynamic how;
  private final long seed;
  private final List<DeviceTensor> means = new ArrayList<>();
  private final List<DeviceTensor> scaled = new ArrayList<>();
  private final List<DeviceTensor> constants = new ArrayList<>();
  private Map<String, Tensor> restored = Map.of();
  private Training training;

  DynamicHook(List<Layer> layers, Strategy.Dynamic how, long seed) {
    this.layers = layers;
    this.how = how;
    this.seed = seed;
  }

  @Override
  public String name() {
    return "dynamic";
  }

  @Override
  public boolean repeatable() {
    return true;
  }

  @Override
  public void start(Training run) {
    training = run;
    if (how.growth() != Strategy.Growth.MOMENTUM) {
      return;
    }
    Device device = run.device();
    constants.add(device.toDevice(Tensor.of(Shape.of(), DECAY)));
    constants.add(device.toDevice(Tensor.of(Shape.of(), 1 - DECAY)));
    for (Layer layer : layers) {
      Tensor none = Tensor.zeros(DType.F32, layer.shape());
      means.add(device.toDevice(restored.getOrDefault(layer.parameter(), none)));
      scaled.add(device.empty(DType.F32, layer.shape()));
    }
  }

  /** mean ← 0.9 · mean + 0.1 · g. */
  @Override
  public void afterGradients(Training run) {
    NnOps nn = run.device().nn();
    for (int i = 0; i < means.size(); i++) {
      DeviceTensor mean = means.get(i);
      DeviceTensor share = scaled.get(i);
      nn.binary(NnOps.Binary.MUL, mean, constants.get(0), mean);
      nn.binary(NnOps.Binary.MUL, run.gradient(layers.get(i).parameter()), constants.get(1), share);
      nn.binary(NnOps.Binary.ADD, mean, share, mean);
    }
  }

  @Override
  public void afterStep(Training run) {
    long done = run.step() + 1;
    if (movesAfter(done, run.totalSteps())) {
      double share = share(done, run.totalSteps());
      for (int i = 0; i < layers.size(); i++) {
        move(i, share);
      }
    }
  }

  /** Whether weights move after so many steps. */
  boolean movesAfter(long done, long totalSteps) {
    return done % how.every() == 0 && done < end(totalSteps);
  }

  /** Share of the living weights that moves after so many steps. */
  double share(long done, long totalSteps) {
    return how.fraction() / 2 * (1 + StrictMath.cos(Math.PI * done / end(totalSteps)));
  }

  private long end(long totalSteps) {
    return Math.round(how.end() * totalSteps);
  }

  private void move(int index, double share) {
    Device device = training.device();
    String name = layers.get(index).parameter();
    DeviceMask mask = training.mask(name);
    Mask living = device.toHost(mask);
    long size = living.size();
    long dead = living.prunedCount();
    long n = Math.min(Quotas.count(share, size - dead), dead);
    if (n == 0) {
      return;
    }
    DeviceTensor weight = training.parameters().get(name);
    select(PruneOps.Key.ABS, new PruneOps.Segment(weight, mask, mask, 0), dead + n, name);
    Mask staying = device.toHost(mask);
    try (DeviceMask grown = device.toDevice(Masks.not(living))) {
      // What lives, or lived until now, is gone from this ranking; of the dead all but n go.
      grow(index, grown, size - n);
      Mask moved = Masks.or(staying, device.toHost(grown));
      device.upload(moved.words(), mask.words(), 0);
    }
    device.prune().applyMask(mask, weight);
    training.maskChanged(name);
  }

  private void grow(int index, DeviceMask dead, long k) {
    String name = layers.get(index).parameter();
    switch (how.growth()) {
      case GRADIENT ->
          select(
              PruneOps.Key.ABS,
              new PruneOps.Segment(training.gradient(name), dead, dead, 0),
              k,
              name);
      case MOMENTUM ->
          select(PruneOps.Key.ABS, new PruneOps.Segment(means.get(index), dead, dead, 0), k, name);
      case RANDOM -> {
        Device device = training.device();
        Tensor draw = Tensor.ofLongs(Shape.of(2), seed, training.step());
        try (DeviceTensor state = device.toDevice(draw);
            DeviceTensor scores = device.empty(DType.F32, layers.get(index).shape())) {
          device.nn().uniform(state, index, scores);
          select(PruneOps.Key.SIGNED, new PruneOps.Segment(scores, dead, dead, 0), k, name);
        }
      }
    }
  }

  private void select(PruneOps.Key key, PruneOps.Segment segment, long k, String name) {
    try {
      training.device().prune().select(key, List.of(segment), new long[] {k});
    } catch (PruneOps.NanScoreException e) {
      throw new IllegalArgumentException(
          "weight '%s' or its gradient is NaN at index %d; lower the learning rate"
              .formatted(name, e.index()),
          e);
    }
  }

  /** Running means of gradients, where weights grow by them. */
  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    for (int i = 0; i < means.size(); i++) {
      state.put(layers.get(i).parameter(), training.device().toHost(means.get(i)));
    }
    return state;
  }

  @Override
  public void restore(Map<String, Tensor> state) {
    restored = state;
  }

  @Override
  public void finish() {
    means.forEach(DeviceTensor::close);
    scaled.forEach(DeviceTensor::close);
    constants.forEach(DeviceTensor::close);
    means.clear();
    scaled.clear();
    constants.clear();
  }
}
