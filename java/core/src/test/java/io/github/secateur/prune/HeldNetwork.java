package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Model;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Mask;
import io.github.secateur.train.TrainOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A network with its weights and masks on a device, to be scored and pruned without training. */
final class HeldNetwork implements Site, AutoCloseable {
  final Model model;
  final Parameters parameters;
  final Calibration calibration;
  private final Device device;
  private final Map<String, DeviceMask> masks = new LinkedHashMap<>();

  HeldNetwork(Device device, Model model, Samples samples) {
    this.device = device;
    this.model = model;
    this.parameters = Parameters.upload(device, model.graph());
    this.calibration = new Calibration(model, parameters, samples);
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public DeviceTensor weight(String parameter) {
    return parameters.get(parameter);
  }

  @Override
  public DeviceMask mask(String parameter) {
    return masks.computeIfAbsent(parameter, p -> device.toDevice(Mask.ones(weight(p).shape())));
  }

  WeightScorer.Source source() {
    return new WeightScorer.Source(this, Layers.trainable(model), calibration);
  }

  Pruner<?> pruner(Strategy.Scored how, double sparsity, Limits limits) {
    PruneOptions options =
        new PruneOptions(how, sparsity, TrainOptions.adam(1, 1e-3f, 1)).with(limits);
    return new Pruners(model, Layers.trainable(model), how, sparsity, options)
        .of(this, calibration);
  }

  /** Prunes single weights once. */
  void prune(Criterion criterion, Allocation allocation, double sparsity) {
    Strategy.Scored how =
        new Strategy.Scored(
            criterion, new Pattern.Unstructured(), allocation, new Schedule.OneShot());
    pruner(how, sparsity, Limits.NONE).step(0, 1);
  }

  /** The same under one threshold. */
  void prune(Criterion criterion, double sparsity) {
    prune(criterion, new Allocation.Global(), sparsity);
  }

  /** Of single weights, by layer. */
  List<double[]> scores(Criterion criterion) {
    try (WeightScores scores = WeightScorer.of(criterion, source()).score()) {
      return scores.tensors().stream().map(this::doubles).toList();
    }
  }

  double[] doubles(DeviceTensor tensor) {
    float[] floats = device.toHost(tensor).toFloats();
    double[] values = new double[floats.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = floats[i];
    }
    return values;
  }

  /** Masks that there are. */
  Map<String, Mask> masks() {
    Map<String, Mask> host = new LinkedHashMap<>();
    masks.forEach((name, mask) -> host.put(name, device.toHost(mask)));
    return host;
  }

  void requireUntouched() {
    model
        .graph()
        .initializers()
        .forEach(
            (name, tensor) ->
                assertTrue(parameters.toHost(name).bitEquals(tensor), name + " was changed"));
  }

  @Override
  public void close() {
    masks.values().forEach(DeviceMask::close);
    parameters.close();
  }
}
