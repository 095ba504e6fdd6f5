package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.exec.GraphOracle.Nd;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.MeanSquaredError;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A graph on a device against {@link GraphOracle}: outputs and gradients. */
record GradientCheck(Device device, Executable.Mode mode) {
  /** Adds the output y and the loss (y − target)² for a drawn target. */
  static void addLoss(Graph graph, SplittableRandom random) {
    Shape y = GraphOracle.evaluate(graph, Map.of()).get("y").shape();
    graph.initializers().put("target", random(random, y, false));
    graph
        .nodes()
        .add(
            Node.of(
                "loss", MeanSquaredError.ID, List.of("y", "target"), List.of("loss"), Map.of()));
    graph.outputs().add(ValueInfo.of("loss", DType.F32));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
  }

  /** Outputs against the oracle, gradients of the loss against central differences. */
  void check(Graph graph, List<String> wrt, Map<String, Tensor> inputs) {
    Map<String, Nd> exact = new HashMap<>();
    Map<String, Shape> shapes = new HashMap<>();
    inputs.forEach((name, t) -> exact.put(name, Nd.of(t)));
    inputs.forEach((name, t) -> shapes.put(name, t.shape()));
    Map<String, Nd> values = GraphOracle.evaluate(graph, exact);
    Model model = new Model(ReverseMode.differentiate(graph, "loss", wrt));
    long before = device.liveBuffers();
    try (Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable = Executable.compile(model, shapes, parameters, mode)) {
      Map<String, Tensor> results = executable.run(inputs);
      for (ValueInfo output : graph.outputs()) {
        Tensor got = results.get(output.name());
        assertEquals(values.get(output.name()).shape(), got.shape(), output.name());
        assertClose(output.name(), values.get(output.name()).data(), got);
      }
      for (String w : wrt) {
        double[] expected = GraphOracle.gradient(graph, exact, "loss", w);
        assertClose(w, expected, results.get(ReverseMode.gradientName(w)));
      }
    }
    assertEquals(before, device.liveBuffers());
  }

  static void assertClose(String name, double[] expected, Tensor got) {
    assertEquals(expected.length, got.size(), name);
    double scale = 1e-3;
    for (double e : expected) {
      scale = Math.max(scale, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - got.getFloat(i));
      assertTrue(
          error <= 2e-5 * scale,
          "%s[%d]: expected %s, got %s".formatted(name, i, expected[i], got.getFloat(i)));
    }
  }

  /** Values away from the kinks at 0. */
  static Tensor random(SplittableRandom random, Shape shape, boolean positive) {
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (int i = 0; i < t.size(); i++) {
      float magnitude = (float) random.nextDouble(0.2, 2);
      t.setFloat(i, positive || random.nextBoolean() ? magnitude : -magnitude);
    }
    return t;
  }
}
