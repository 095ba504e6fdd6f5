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
import java.util.Arrays;
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
 * optimizer forgets masked weights) is; of equal ones the lower index.
 *
 * <p>At random and by gradient every layer keeps its number. By momentum what all layers dropped is
 * shared out among them in proportion to the mean |running mean| of their living weights (sparse
 * momentum, arXiv 1907.04840, section 3), within the limits of each layer and leaving it one weight
 * at least; explicit ratios keep their numbers there too.
 *
 * <p>Both choices are selections on the device: the drop ranks the living; the growth ranks the
 * dead, with the living as what is gone already. Masks, 1 bit a weight, are combined on the host.
 */
final class DynamicHook implements TrainHook {
  private static final float DECAY = 0.9f;

  private final List<Layer> layers;
  private final Strategy.Dynamic how;
  private final Limits limits;
  private final long seed;
  private final List<DeviceTensor> means = new ArrayList<>();
  private final List<DeviceTensor> scaled = new ArrayList<>();
  private final List<DeviceTensor> constants = new ArrayList<>();
  private Map<String, Tensor> restored = Map.of();
  private Training training;

  DynamicHook(List<Layer> layers, Strategy.Dynamic how, Limits limits, long seed) {
    this.layers = layers;
    this.how = how;
    this.limits = limits;
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
      move(share(done, run.totalSteps()));
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

  private void move(double share) {
    int count = layers.size();
    Mask[] living = new Mask[count];
    long[] dropped = new long[count];
    for (int i = 0; i < count; i++) {
      living[i] = training.device().toHost(training.mask(layers.get(i).parameter()));
      long dead = living[i].prunedCount();
      dropped[i] = Math.min(Quotas.count(share, living[i].keptCount()), dead);
    }
    long[] grown = redistributes() ? redistributed(living, dropped) : dropped;
    for (int i = 0; i < count; i++) {
      if (dropped[i] > 0 || grown[i] > 0) {
        move(i, living[i], dropped[i], grown[i]);
      }
    }
  }

  private boolean redistributes() {
    return how.growth() == Strategy.Growth.MOMENTUM
        && !(how.allocation() instanceof Allocation.Ratios);
  }

  /** How many weights come in at each layer, as many in all as were dropped. */
  private long[] redistributed(Mask[] living, long[] dropped) {
    int count = layers.size();
    long[] pruned = new long[count];
    for (int i = 0; i < count; i++) {
      pruned[i] = living[i].prunedCount();
    }
    Bounds bounds = Bounds.of(layers, limits, pruned);
    double[] rate = new double[count];
    long[] least = new long[count];
    for (int i = 0; i < count; i++) {
      rate[i] = meanMomentum(i, living[i]);
      long staying = living[i].keptCount() - dropped[i];
      long needed = Math.max(1, living[i].size() - bounds.high()[i]) - staying;
      least[i] = Math.clamp(needed, 0, dropped[i]);
    }
    // Where a mean is NaN nothing is shared out: the selections that follow say where it is.
    double sum = Arrays.stream(rate).sum();
    return sum > 0 && Double.isFinite(sum)
        ? WaterFilling.fill(rate, least, pruned, Arrays.stream(dropped).sum())
        : dropped;
  }

  /** Mean |running mean| over a layer's living weights; sums of outputs come from the device. */
  private double meanMomentum(int index, Mask living) {
    Device device = training.device();
    DeviceTensor momentum = scaled.get(index);
    device.nn().unary(NnOps.Unary.ABS, 0, means.get(index), momentum);
    device.prune().applyMask(training.mask(layers.get(index).parameter()), momentum);
    long rows = momentum.shape().dim(0);
    DeviceTensor matrix = momentum.view(Shape.of(rows, momentum.size() / rows));
    try (DeviceTensor sums = device.empty(DType.F32, Shape.of(rows))) {
      device.prune().scoreUnits(PruneOps.Norm.L1, 0, matrix, sums);
      double sum = 0;
      Tensor ofRows = device.toHost(sums);
      for (long i = 0; i < ofRows.size(); i++) {
        sum += ofRows.getFloat(i);
      }
      return living.keptCount() == 0 ? 0 : sum / living.keptCount();
    }
  }

  private void move(int index, Mask living, long drop, long grow) {
    Device device = training.device();
    String name = layers.get(index).parameter();
    DeviceMask mask = training.mask(name);
    DeviceTensor weight = training.parameters().get(name);
    long dead = living.prunedCount();
    select(PruneOps.Key.ABS, new PruneOps.Segment(weight, mask, mask, 0), dead + drop, name);
    Mask staying = device.toHost(mask);
    try (DeviceMask grown = device.toDevice(Masks.not(living))) {
      // What lives, or lived until now, is gone from this ranking; of the dead all but these go.
      grow(index, grown, living.size() - grow);
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
