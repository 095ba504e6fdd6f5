package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Statistics of activations over training samples, with the weights as they are now: the model runs
 * without dropout, in batches, from the front of the training set; sums stay on the device.
 *
 * @param model the network
 * @param parameters its weights on the device
 * @param samples training samples
 */
record Calibration(Model model, Parameters parameters, Samples samples) {
  private static final long BATCH = 500;

  /**
   * Refuses a statistic that says nothing of an activation.
   *
   * @throws IllegalArgumentException APoZ where the activation has no exact zeros; the signed mean
   *     where it may be negative
   */
  static void requireFit(PruneOps.Statistic statistic, List<UnitGroup> groups) {
    for (UnitGroup group : groups) {
      if (group.activation().equals("Relu")) {
        continue;
      }
      String after = group.activation().isEmpty() ? "no nonlinearity" : group.activation();
      switch (statistic) {
        case ONE_MINUS_APOZ ->
            throw new IllegalArgumentException(
                "APoZ counts exact zeros, but layer '%s' is followed by %s, which has none; use rms"
                    .formatted(group.layer(), after));
        case MEAN ->
            throw new IllegalArgumentException(
                "the signed mean ranks units only after Relu, but layer '%s' is followed by %s; use"
                        .formatted(group.layer(), after)
                    + " mean-abs");
        case MEAN_ABS, RMS -> {}
      }
    }
  }

  /** Scores of all units. */
  UnitScores scores(List<UnitGroup> groups, Criterion.Activation activation) {
    long count = Math.min(activation.samples(), samples.count());
    Device device = parameters.device();
    List<DeviceTensor> accumulators = new ArrayList<>();
    try {
      for (UnitGroup group : groups) {
        DeviceTensor sums = device.empty(DType.F64, Shape.of(4, group.units()));
        accumulators.add(sums);
        device.zero(sums.buffer(), 0, sums.buffer().byteSize());
      }
      accumulate(groups, accumulators, 0, count / BATCH, BATCH);
      accumulate(groups, accumulators, count / BATCH * BATCH, 1, count % BATCH);
      return new UnitScores(finish(groups, accumulators, activation.statistic(), count));
    } finally {
      accumulators.forEach(DeviceTensor::close);
    }
  }

  /** Adds {@code batches} batches of {@code size} samples from sample {@code first} on. */
  private void accumulate(
      List<UnitGroup> groups,
      List<DeviceTensor> accumulators,
      long first,
      long batches,
      long size) {
    if (batches == 0 || size == 0) {
      return;
    }
    ValueInfo x = model.graph().requiredInputs().getFirst();
    Map<String, Shape> inputs = Map.of(x.name(), x.shape(size));
    try (Executable executable =
        Executable.compile(withOutputs(groups), inputs, parameters, Executable.Mode.INFERENCE)) {
      DeviceTensor input = executable.input(x.name());
      long bytes = input.size() * input.dtype().byteSize();
      for (long b = 0; b < batches; b++) {
        long from = (first + b * size) * (bytes / size);
        parameters
            .device()
            .upload(samples.x().data().asSlice(from, bytes), input.buffer(), input.byteOffset());
        executable.run();
        for (int g = 0; g < groups.size(); g++) {
          DeviceTensor value = executable.output(groups.get(g).value());
          long units = groups.get(g).units();
          parameters
              .device()
              .prune()
              .accumulateActivation(
                  value.view(Shape.of(value.size() / units, units)), accumulators.get(g));
        }
      }
    }
  }

  private Model withOutputs(List<UnitGroup> groups) {
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    Map<String, ValueInfo> outputs = new LinkedHashMap<>();
    for (UnitGroup group : groups) {
      outputs.put(
          group.value(),
          ValueInfo.of(
              group.value(),
              DType.F32,
              ValueInfo.Dim.symbol("batch"),
              ValueInfo.Dim.of(group.units())));
    }
    graph.outputs().addAll(outputs.values());
    return model.withGraph(graph);
  }

  private List<float[]> finish(
      List<UnitGroup> groups,
      List<DeviceTensor> accumulators,
      PruneOps.Statistic statistic,
      long count) {
    Device device = parameters.device();
    List<float[]> all = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      try (DeviceTensor scores = device.empty(DType.F32, Shape.of(groups.get(g).units()))) {
        device.prune().activationScores(statistic, count, accumulators.get(g), scores);
        all.add(device.toHost(scores).toFloats());
      }
    }
    return all;
  }
}
