package io.github.secateur.prune;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Coupling;
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
import java.util.function.Consumer;

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
  private static final byte[] NOTHING = {};

  /**
   * Refuses a statistic that says nothing of an activation.
   *
   * @throws IllegalArgumentException APoZ where the activation has no exact zeros; the signed mean
   *     where it may be negative
   */
  static void requireFit(PruneOps.Statistic statistic, List<UnitGroup> groups) {
    for (UnitGroup group : groups) {
      for (String activation : group.activations()) {
        requireFit(statistic, group.layer(), activation);
      }
    }
  }

  private static void requireFit(PruneOps.Statistic statistic, String layer, String activation) {
    if (activation.equals("Relu")) {
      return;
    }
    String after = activation.isEmpty() ? "no nonlinearity" : activation;
    switch (statistic) {
      case ONE_MINUS_APOZ ->
          throw new IllegalArgumentException(
              "APoZ counts exact zeros, but layer '%s' is followed by %s, which has none; use rms"
                  .formatted(layer, after));
      case MEAN ->
          throw new IllegalArgumentException(
              "the signed mean ranks units only after Relu, but layer '%s' is followed by %s; use"
                      .formatted(layer, after)
                  + " mean-abs");
      case MEAN_ABS, RMS -> {}
    }
  }

  /**
   * Scores of all units: the statistic over samples, places of a channel, and all values that
   * layers read the units from.
   */
  UnitScores scores(List<UnitGroup> groups, Criterion.Activation activation) {
    long count = Math.min(activation.samples(), samples.count());
    Map<String, UnitActivations> read = new LinkedHashMap<>();
    try {
      accumulate(groups, read, 0, count / BATCH, BATCH);
      accumulate(groups, read, count / BATCH * BATCH, 1, count % BATCH);
      List<float[]> all = new ArrayList<>();
      for (UnitGroup group : groups) {
        all.add(UnitActivations.scores(group, read, activation.statistic(), count));
      }
      return new UnitScores(all);
    } finally {
      read.values().forEach(UnitActivations::close);
    }
  }

  /** Adds {@code batches} batches of {@code size} samples from sample {@code first} on. */
  private void accumulate(
      List<UnitGroup> groups,
      Map<String, UnitActivations> read,
      long first,
      long batches,
      long size) {
    if (batches == 0 || size == 0) {
      return;
    }
    ValueInfo x = model.graph().requiredInputs().getFirst();
    Map<String, Shape> inputs = Map.of(x.name(), x.shape(size));
    Model shown = withOutputs(groups);
    try (Executable executable =
        Executable.compile(shown, inputs, parameters, Executable.Mode.INFERENCE)) {
      DeviceTensor input = executable.input(x.name());
      long bytes = input.size() * input.dtype().byteSize();
      for (long b = 0; b < batches; b++) {
        long from = (first + b * size) * (bytes / size);
        parameters
            .device()
            .upload(samples.x().data().asSlice(from, bytes), input.buffer(), input.byteOffset());
        executable.run();
        for (ValueInfo value : shown.graph().outputs()) {
          DeviceTensor output = executable.output(value.name());
          read.computeIfAbsent(
                  value.name(), v -> new UnitActivations(parameters.device(), output.shape()))
              .add(output);
        }
      }
    }
  }

  /**
   * Runs the first samples in batches and shows values of each; they are valid until the next.
   *
   * @param values of the graph, F32
   * @param count samples, or all if there are fewer
   * @param consumer reads {@link Executable#output} of the values
   */
  void forEach(List<String> values, long count, Consumer<Executable> consumer) {
    long all = Math.min(count, samples.count());
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    values.forEach(value -> graph.outputs().add(new ValueInfo(value, DType.F32, null, NOTHING)));
    Model shown = model.withGraph(graph);
    ValueInfo x = graph.requiredInputs().getFirst();
    long bytes = samples.features() * DType.F32.byteSize();
    long whole = all / BATCH * BATCH; // in full batches; then the remainder
    for (long first = 0; first < all; first = first < whole ? whole : all) {
      long end = first < whole ? whole : all;
      long size = first < whole ? BATCH : all - whole;
      Map<String, Shape> inputs = Map.of(x.name(), x.shape(size));
      try (Executable executable =
          Executable.compile(shown, inputs, parameters, Executable.Mode.INFERENCE)) {
        DeviceTensor input = executable.input(x.name());
        for (long from = first; from < end; from += size) {
          parameters
              .device()
              .upload(
                  samples.x().data().asSlice(from * bytes, size * bytes),
                  input.buffer(),
                  input.byteOffset());
          executable.run();
          consumer.accept(executable);
        }
      }
    }
  }

  private Model withOutputs(List<UnitGroup> groups) {
    Graph graph = model.graph().copy();
    graph.outputs().clear();
    groups.stream()
        .flatMap(group -> group.read().stream())
        .map(Coupling.Slice::parameter)
        .distinct()
        .forEach(value -> graph.outputs().add(new ValueInfo(value, DType.F32, null, NOTHING)));
    return model.withGraph(graph);
  }
}
