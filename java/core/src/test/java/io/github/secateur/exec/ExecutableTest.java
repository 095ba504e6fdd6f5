package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.HardConcrete;
import io.github.secateur.graph.op.MeanSquaredError;
import io.github.secateur.nn.Activation;
import io.github.secateur.nn.Losses;
import io.github.secateur.nn.MlpOptions;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExecutableTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Devices.open("cpu", new DeviceOptions(2));
  }

  @AfterEach
  void close() {
    device.close(); // fails when a buffer is alive
  }

  private static final int BATCH = 16;

  /** Points of a square and whether the product of their coordinates is positive. */
  private static Map<String, Tensor> batch(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[BATCH * 2];
    int[] labels = new int[BATCH];
    for (int i = 0; i < BATCH; i++) {
      x[2 * i] = (float) random.nextDouble(-1, 1);
      x[2 * i + 1] = (float) random.nextDouble(-1, 1);
      labels[i] = x[2 * i] * x[2 * i + 1] > 0 ? 1 : 0;
    }
    return Map.of(
        "x", Tensor.of(Shape.of(BATCH, 2), x), "labels", Tensor.ofInts(Shape.of(BATCH), labels));
  }

  private static Model trainable(MlpOptions options) {
    Model loss = Losses.withSoftmaxCrossEntropy(Networks.mlp(options));
    return loss.withGraph(
        ReverseMode.differentiate(loss.graph(), Losses.LOSS, loss.graph().initializers().keySet()));
  }

  private static Map<String, Shape> shapes(Map<String, Tensor> values) {
    Map<String, Shape> shapes = new HashMap<>();
    values.forEach((name, t) -> shapes.put(name, t.shape()));
    return shapes;
  }

  /** Trains by plain gradient descent and returns the last losses' mean and the weights. */
  private Result train(MlpOptions options, int steps) {
    Model model = trainable(options);
    try (Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(model, shapes(batch(0)), parameters, Executable.Mode.TRAINING);
        var block = device.allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
      device.nn().uploadSgd(new NnOps.Sgd(0.5f, 0, 0, false, 1), block);
      double last = 0;
      for (int step = 0; step < steps; step++) {
        float loss = executable.run(batch(step)).get("loss").getFloat(0);
        last += step >= steps - 50 ? loss / 50 : 0;
        for (String name : parameters.names()) {
          device
              .nn()
              .sgdStep(
                  block,
                  parameters.get(name),
                  executable.output(ReverseMode.gradientName(name)),
                  null,
                  null);
        }
      }
      return new Result(last, parameters.toHost("fc1.weight"));
    }
  }

  private record Result(double loss, Tensor weight) {}

  @ParameterizedTest
  @EnumSource
  void mlpLearnsAProblemThatIsNotLinear(Activation activation) {
    MlpOptions options = MlpOptions.of(List.of(2, 32, 16, 2), 1).with(activation);
    double untrained = train(options, 50).loss();
    int steps = activation == Activation.SIGMOID ? 6000 : 1500;
    double trained = train(options, steps).loss();
    assertTrue(untrained > 0.4, "loss before " + untrained);
    assertTrue(trained < 0.15, "loss after " + trained);
  }

  @Test
  void trainingTwiceGivesTheSameBits() {
    MlpOptions options = MlpOptions.of(List.of(2, 32, 16, 2), 1).withDropout(0.3);
    assertTrue(train(options, 60).weight().bitEquals(train(options, 60).weight()));
  }

  @Test
  void aRunDoesNotAllocateAndClosingFreesAll() {
    Model model = trainable(MlpOptions.of(List.of(2, 8, 2), 1));
    try (Parameters parameters = Parameters.upload(device, model.graph())) {
      long before = device.liveBuffers();
      try (Executable executable =
          Executable.compile(model, shapes(batch(0)), parameters, Executable.Mode.TRAINING)) {
        long compiled = device.liveBuffers();
        executable.run(batch(0));
        assertEquals(compiled, device.liveBuffers());
      }
      assertEquals(before, device.liveBuffers());
    }
    assertEquals(0, device.liveBuffers());
  }

  @Test
  void innerValuesShareMemory() {
    Graph graph = new Graph("chain");
    graph.inputs().add(ValueInfo.of("v0", DType.F32, ValueInfo.Dim.of(1 << 16)));
    for (int i = 0; i < 40; i++) {
      graph.nodes().add(Node.of("n" + i, "Relu", List.of("v" + i), List.of("v" + (i + 1))));
    }
    graph.outputs().add(ValueInfo.of("v40", DType.F32, ValueInfo.Dim.of(1 << 16)));
    try (Parameters parameters = Parameters.upload(device, graph);
        Executable executable =
            Executable.compile(
                new Model(graph),
                Map.of("v0", Shape.of(1 << 16)),
                parameters,
                Executable.Mode.INFERENCE)) {
      assertTrue(device.liveBytes() < 5L * 4 * (1 << 16), "bytes " + device.liveBytes());
      assertTrue(executable.output("v40").size() == 1 << 16);
    }
  }

  @Test
  void outputsThatAreViewsOfInputsAreCopies() {
    Graph graph = new Graph("views");
    graph.inputs().add(ValueInfo.of("x", DType.F32, ValueInfo.Dim.of(2), ValueInfo.Dim.of(3)));
    graph.initializers().put("w", Tensor.of(Shape.of(2), 8, 9));
    graph.initializers().put("shape", Tensor.ofLongs(Shape.of(1), 6));
    graph.nodes().add(Node.of("r", "Reshape", List.of("x", "shape"), List.of("flat")));
    graph.nodes().add(Node.of("i", "Identity", List.of("w"), List.of("same")));
    for (String output : List.of("flat", "same", "w", "x")) {
      graph.outputs().add(ValueInfo.of(output, DType.F32));
    }
    try (Parameters parameters = Parameters.upload(device, graph);
        Executable executable =
            Executable.compile(
                new Model(graph),
                Map.of("x", Shape.of(2, 3)),
                parameters,
                Executable.Mode.INFERENCE)) {
      Map<String, Tensor> out =
          executable.run(Map.of("x", Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6)));
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, out.get("flat").toFloats());
      assertEquals(Shape.of(6), out.get("flat").shape());
      assertArrayEquals(new float[] {8, 9}, out.get("same").toFloats());
      assertArrayEquals(new float[] {8, 9}, out.get("w").toFloats());
      assertFalse(executable.output("w").address() == parameters.get("w").address(), "own buffer");
    }
  }

  @Test
  void aValueThatIsReadLateKeepsItsMemory() {
    Graph graph = new Graph("late");
    graph.inputs().add(ValueInfo.of("x", DType.F32, ValueInfo.Dim.of(64)));
    graph.nodes().add(Node.of("a", "Neg", List.of("x"), List.of("early")));
    graph.nodes().add(Node.of("i", "Identity", List.of("early"), List.of("view")));
    String last = "early";
    for (int i = 0; i < 6; i++) {
      graph.nodes().add(Node.of("e" + i, "Neg", List.of(last), List.of("t" + i)));
      last = "t" + i;
    }
    graph.nodes().add(Node.of("s", "Sub", List.of("view", last), List.of("y")));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    Map<String, Tensor> out = runOnce(graph, Map.of("x", ones(64)), Executable.Mode.INFERENCE);
    assertEquals(0, out.get("y").getFloat(0));
    assertEquals(0, out.get("y").getFloat(63));
  }

  private static Tensor ones(int n) {
    float[] values = new float[n];
    Arrays.fill(values, 1);
    return Tensor.of(Shape.of(n), values);
  }

  private Map<String, Tensor> runOnce(
      Graph graph, Map<String, Tensor> inputs, Executable.Mode mode) {
    try (Parameters parameters = Parameters.upload(device, graph);
        Executable executable =
            Executable.compile(new Model(graph), shapes(inputs), parameters, mode)) {
      device.upload(Tensor.ofLongs(Shape.of(2), 7, 1), executable.randomState());
      return executable.run(inputs);
    }
  }

  /** y = Dropout(x), loss = mean (y − 0)²: dx = 2 y / n / (1 − ratio) where kept. */
  private static Graph dropout(float ratio) {
    Graph graph = new Graph("dropout");
    graph.initializers().put("x", ones(1000));
    graph.initializers().put("zero", Tensor.zeros(DType.F32, Shape.of(1000)));
    Attribute value = new Attribute.Data(Tensor.of(Shape.of(), ratio));
    graph
        .nodes()
        .add(Node.of("c", OpId.onnx("Constant"), List.of(), List.of("r"), Map.of("value", value)));
    graph.nodes().add(Node.of("d", "Dropout", List.of("x", "r"), List.of("y", "mask")));
    graph
        .nodes()
        .add(Node.of("l", MeanSquaredError.ID, List.of("y", "zero"), List.of("loss"), Map.of()));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    return ReverseMode.differentiate(graph, "loss", List.of("x"));
  }

  @Test
  void dropoutAndItsGradientMakeOneDraw() {
    Map<String, Tensor> out = runOnce(dropout(0.4f), Map.of(), Executable.Mode.TRAINING);
    int kept = 0;
    for (int i = 0; i < 1000; i++) {
      float y = out.get("y").getFloat(i);
      assertTrue(y == 0 || Math.abs(y - 1 / 0.6f) < 1e-6, "y " + y);
      assertEquals(2 * y / 1000 / 0.6, out.get("grad/x").getFloat(i), 1e-8);
      kept += y == 0 ? 0 : 1;
    }
    assertTrue(kept > 520 && kept < 680, "kept " + kept);
  }

  @Test
  void dropoutIsIdentityInInferenceAndAtRatioZero() {
    for (Map<String, Tensor> out :
        List.of(
            runOnce(dropout(0.4f), Map.of(), Executable.Mode.INFERENCE),
            runOnce(dropout(0f), Map.of(), Executable.Mode.TRAINING))) {
      for (int i = 0; i < 1000; i++) {
        assertEquals(1, out.get("y").getFloat(i));
        assertEquals(0.002, out.get("grad/x").getFloat(i), 1e-8);
      }
    }
  }

  private static Graph gates(float shift) {
    Graph graph = new Graph("gates");
    Tensor logAlpha = Tensor.zeros(DType.F32, Shape.of(500));
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 500; i++) {
      logAlpha.setFloat(i, (float) random.nextDouble(-2, 2) + shift);
    }
    graph.initializers().put("a", logAlpha);
    graph.initializers().put("zero", Tensor.zeros(DType.F32, Shape.of(500)));
    graph.nodes().add(Node.of("g", HardConcrete.ID, List.of("a"), List.of("z"), Map.of()));
    graph
        .nodes()
        .add(Node.of("l", MeanSquaredError.ID, List.of("z", "zero"), List.of("loss"), Map.of()));
    graph.outputs().add(ValueInfo.of("z", DType.F32));
    return graph;
  }

  @Test
  void gatesAndTheirGradientMakeOneDraw() {
    float h = 1e-2f;
    Tensor up = runOnce(gates(h), Map.of(), Executable.Mode.TRAINING).get("z");
    Tensor down = runOnce(gates(-h), Map.of(), Executable.Mode.TRAINING).get("z");
    Graph graph = ReverseMode.differentiate(gates(0), "loss", List.of("a"));
    Map<String, Tensor> out = runOnce(graph, Map.of(), Executable.Mode.TRAINING);
    int open = 0;
    for (int i = 0; i < 500; i++) {
      float z = out.get("z").getFloat(i);
      boolean inside = up.getFloat(i) < 1 && down.getFloat(i) > 0;
      if (inside) {
        double slope = (up.getFloat(i) - down.getFloat(i)) / (2 * h);
        assertEquals(2 * z / 500 * slope, out.get("grad/a").getFloat(i), 2e-5, "gate " + i);
        open++;
      } else if (z == 0 || z == 1) {
        assertEquals(0, out.get("grad/a").getFloat(i), "gate " + i);
      }
    }
    assertTrue(open > 50, "gates between 0 and 1: " + open);
    Tensor eval = runOnce(gates(0), Map.of(), Executable.Mode.INFERENCE).get("z");
    assertEquals(
        Math.clamp(1.2 / (1 + Math.exp(-gates(0).initializer("a").getFloat(3))) - 0.1, 0, 1),
        eval.getFloat(3),
        1e-6);
  }

  private String refusal(Graph graph, Map<String, Shape> shapes) {
    try (Parameters parameters = Parameters.upload(device, graph)) {
      long before = device.liveBuffers();
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  Executable.compile(
                      new Model(graph), shapes, parameters, Executable.Mode.INFERENCE));
      assertEquals(before, device.liveBuffers());
      return e.getMessage();
    }
  }

  @Test
  void wrongShapesAreNamed() {
    Graph graph = Networks.parse("mlp:4-3-2", 1).graph();
    assertEquals("graph 'mlp' needs the shape of its input 'x'", refusal(graph, Map.of()));
    assertEquals(
        "input 'x' is declared [batch, 4], got shape [5, 6]",
        refusal(graph, Map.of("x", Shape.of(5, 6))));
    assertEquals(
        "graph 'mlp' has no input 'y'; its inputs are [x]",
        refusal(graph, Map.of("x", Shape.of(5, 4), "y", Shape.of(1))));
    graph.initializers().put("fc2.weight", Tensor.zeros(DType.F32, Shape.of(2, 7)));
    assertEquals(
        "Gemm 'fc2': 'fc1.activation' [5, 3] and 'fc2.weight' [2, 7] transposed do not multiply",
        refusal(graph, Map.of("x", Shape.of(5, 4))));
    Model loss = Losses.withSoftmaxCrossEntropy(Networks.parse("mlp:4-3-2", 1));
    assertEquals(
        "input 'labels' [6] has size 6 at axis 0, but another input has 5 for 'batch'",
        refusal(loss.graph(), Map.of("x", Shape.of(5, 4), "labels", Shape.of(6))));
  }

  @Test
  void unknownOperatorsAndTypesAreNamed() {
    Graph graph = new Graph("test");
    graph.initializers().put("x", ones(4));
    graph.nodes().add(Node.of("n", "Celu", List.of("x"), List.of("y")));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    assertEquals(
        "Celu 'n' cannot be executed by Secateur; data-free pruning and 'eval --with"
            + " onnxruntime' still work",
        refusal(graph, Map.of()));
    graph.outputs().clear();
    graph.outputs().add(ValueInfo.of("x", DType.F32));
    assertEquals(
        4, runOnce(graph, Map.of(), Executable.Mode.INFERENCE).get("x").size(), "Celu unused");
    graph.initializers().put("x", Tensor.zeros(DType.F16, Shape.of(4)));
    graph.nodes().clear();
    graph.nodes().add(Node.of("n", "Relu", List.of("x"), List.of("y")));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    assertEquals(
        "Relu 'n': input 'x' is F16[4]; only F32 is executed, convert the model first",
        refusal(graph, Map.of()));
  }

  @Test
  void missingGradientsAreNamed() {
    Graph graph = new Graph("test");
    graph.initializers().put("x", ones(4));
    graph.initializers().put("w", ones(4));
    graph.nodes().add(Node.of("n", "Celu", List.of("x"), List.of("y")));
    assertEquals(
        "'y' does not depend on 'w': there is no gradient; leave it out",
        assertThrows(
                IllegalArgumentException.class,
                () -> ReverseMode.differentiate(graph, "y", List.of("w")))
            .getMessage());
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> ReverseMode.differentiate(graph, "y", List.of("x")))
            .getMessage()
            .startsWith("Celu 'n' cannot be executed"));
    assertThrows(
        IllegalArgumentException.class,
        () -> ReverseMode.differentiate(graph, "nothing", List.of("x")));
  }

  @Test
  void gradientsThatMeetAreAdded() {
    Graph graph = new Graph("shared");
    graph.initializers().put("w", Tensor.of(Shape.of(2), 3, -4));
    graph.initializers().put("zero", Tensor.zeros(DType.F32, Shape.of(2)));
    graph.nodes().add(Node.of("a", "Mul", List.of("w", "w"), List.of("w2")));
    graph.nodes().add(Node.of("b", "Add", List.of("w2", "w"), List.of("s")));
    graph.nodes().add(Node.of("c", "Identity", List.of("s"), List.of("t")));
    graph
        .nodes()
        .add(Node.of("l", MeanSquaredError.ID, List.of("t", "zero"), List.of("loss"), Map.of()));
    Graph both = ReverseMode.differentiate(graph, "loss", List.of("w", "w2"));
    Map<String, Tensor> out = runOnce(both, Map.of(), Executable.Mode.TRAINING);
    // loss = ((w² + w)² of both) / 2, s = 12 and 12; d/ds = s; d/dw = s (2w + 1)
    assertArrayEquals(new float[] {12, 12}, out.get("grad/w2").toFloats(), 1e-5f);
    assertArrayEquals(new float[] {84, -84}, out.get("grad/w").toFloats(), 1e-4f);
  }
}
