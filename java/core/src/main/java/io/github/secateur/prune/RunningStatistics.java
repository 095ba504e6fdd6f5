package io.github.secateur.prune;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The running means and variances of batch normalizations, saved while a network runs in training
 * mode for its scores, and put back bit for bit when this is closed.
 */
final class RunningStatistics implements AutoCloseable {
  /** Nothing to put back. */
  static final RunningStatistics NONE = new RunningStatistics(null);

  private final Parameters parameters;
  private final Map<String, DeviceTensor> saved = new LinkedHashMap<>();

  private RunningStatistics(Parameters parameters) {
    this.parameters = parameters;
  }

  /** Copies those of every BatchNormalization of a graph. */
  static RunningStatistics save(Graph graph, Parameters parameters) {
    RunningStatistics statistics = new RunningStatistics(parameters);
    for (Node node : graph.nodes()) {
      if (node.is("BatchNormalization")) {
        statistics.add(node.input(3));
        statistics.add(node.input(4));
      }
    }
    return statistics;
  }

  private void add(String name) {
    if (parameters.contains(name) && !saved.containsKey(name)) {
      DeviceTensor tensor = parameters.get(name);
      DeviceTensor copy = parameters.device().empty(tensor.dtype(), tensor.shape());
      saved.put(name, copy);
      copy(tensor, copy);
    }
  }

  private void copy(DeviceTensor from, DeviceTensor to) {
    Device device = parameters.device();
    device.copy(
        from.buffer(),
        from.byteOffset(),
        to.buffer(),
        to.byteOffset(),
        from.size() * from.dtype().byteSize());
  }

  @Override
  public void close() {
    saved.forEach((name, copy) -> copy(copy, parameters.get(name)));
    saved.values().forEach(DeviceTensor::close);
    saved.clear();
  }
}
