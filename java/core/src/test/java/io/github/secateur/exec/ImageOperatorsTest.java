package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The operators of convolutional networks, as {@link OperatorsTest} does for the others. */
class ImageOperatorsTest {
  private static Device device;

  @BeforeAll
  static void open() {
    device = Devices.open("cpu", new DeviceOptions(2));
  }

  @AfterAll
  static void close() {
    device.close(); // fails when a buffer is alive
  }

  /**
   * One node under test.
   *
   * @param shapes of the inputs that have gradients
   * @param constants inputs behind them
   */
  record Case(
      String op, List<Shape> shapes, List<Tensor> constants, Map<String, Attribute> attributes) {
    Case with(String attribute, Object value) {
      Map<String, Attribute> more = new LinkedHashMap<>(attributes);
      more.put(
          attribute,
          switch (value) {
            case Integer i -> new Attribute.Int(i);
            case String s -> new Attribute.Text(s);
            default -> ints((long[]) value);
          });
      return new Case(op, shapes, constants, more);
    }

    Case constant(Tensor tensor) {
      List<Tensor> more = new ArrayList<>(constants);
      more.add(tensor);
      return new Case(op, shapes, more, attributes);
    }

    @Override
    public String toString() {
      return op + shapes + constants + attributes;
    }
  }

  private static Attribute ints(long... values) {
    return new Attribute.Ints(LongStream.of(values).boxed().toList());
  }

  private static long[] v(long... values) {
    return values;
  }

  private static Case of(String op, Shape... shapes) {
    return new Case(op, List.of(shapes), List.of(), Map.of());
  }

  private static Shape s(long... dims) {
    return Shape.of(dims);
  }

  private static Tensor longs(long... values) {
    return Tensor.ofLongs(s(values.length), values);
  }

  static Stream<Case> convolutions() {
    Case odd = of("Conv", s(2, 3, 7, 5), s(4, 3, 3, 2), s(4));
    Case grouped = of("Conv", s(2, 6, 5, 5), s(4, 3, 3, 3), s(4)).with("group", 2);
    Case depthwise = of("Conv", s(1, 3, 5, 6), s(6, 1, 3, 3)).with("group", 3);
    Case signal = of("Conv", s(2, 3, 11), s(4, 3, 3), s(4));
    return Stream.of(
        of("Conv", s(1, 1, 1, 1), s(1, 1, 1, 1)),
        of("Conv", s(2, 3, 5, 4), s(5, 3, 1, 1), s(5)),
        odd,
        odd.with("kernel_shape", v(3, 2)).with("pads", v(1, 0, 2, 1)),
        odd.with("strides", v(2, 3)).with("pads", v(0, 2, 1, 0)),
        odd.with("dilations", v(2, 3)).with("pads", v(2, 1, 0, 3)),
        odd.with("strides", v(3, 2)).with("dilations", v(1, 2)).with("auto_pad", "SAME_UPPER"),
        odd.with("strides", v(2, 2)).with("auto_pad", "SAME_LOWER"),
        odd.with("auto_pad", "VALID"),
        grouped,
        grouped.with("strides", v(2, 1)).with("pads", v(1, 1, 1, 1)),
        depthwise,
        depthwise.with("auto_pad", "SAME_UPPER"),
        signal,
        signal.with("strides", v(2)).with("pads", v(2, 1)).with("dilations", v(2)),
        signal.with("auto_pad", "SAME_LOWER").with("kernel_shape", v(3)));
  }

  static Stream<Case> pools() {
    List<Case> cases = new ArrayList<>();
    for (String op : List.of("MaxPool", "AveragePool")) {
      Case two = of(op, s(2, 3, 7, 5)).with("kernel_shape", v(2, 2)).with("strides", v(2, 2));
      Case three = of(op, s(1, 2, 6, 8)).with("kernel_shape", v(3, 2));
      cases.addAll(
          List.of(
              two,
              two.with("ceil_mode", 1),
              three,
              three.with("pads", v(1, 0, 2, 1)),
              three.with("strides", v(2, 3)).with("pads", v(1, 1, 0, 1)).with("ceil_mode", 1),
              three.with("strides", v(2, 2)).with("auto_pad", "SAME_UPPER"),
              three.with("strides", v(2, 3)).with("auto_pad", "SAME_LOWER"),
              three.with("dilations", v(2, 3)).with("pads", v(1, 1, 1, 1)),
              of(op, s(2, 3, 9)).with("kernel_shape", v(4)).with("strides", v(3)),
              of(op, s(2, 3, 9))
                  .with("kernel_shape", v(4))
                  .with("strides", v(3))
                  .with("pads", v(1, 1))
                  .with("ceil_mode", 1),
              of("Global" + op, s(2, 3, 4, 5)),
              of("Global" + op, s(2, 3, 7))));
    }
    Case counted =
        of("AveragePool", s(2, 3, 7, 5)).with("kernel_shape", v(3, 3)).with("count_include_pad", 1);
    cases.add(counted.with("pads", v(1, 2, 0, 1)));
    cases.add(counted.with("strides", v(2, 2)).with("pads", v(1, 1, 0, 1)).with("ceil_mode", 1));
    return cases.stream();
  }

  static Stream<Case> others() {
    Tensor mean = Tensor.of(s(3), 0.5f, -1f, 2f);
    Tensor variance = Tensor.of(s(3), 0.5f, 1f, 2f);
    Case norm = of("BatchNormalization", s(4, 3, 2, 5), s(3), s(3));
    Case flat = of("BatchNormalization", s(7, 3), s(3), s(3));
    Case reduce = of("ReduceMean", s(2, 3, 4, 5));
    return Stream.of(
        norm.constant(mean).constant(variance).with("training_mode", 1),
        flat.constant(mean).constant(variance).with("training_mode", 1),
        of("BatchNormalization", s(2, 3, 6), s(3), s(3))
            .constant(mean)
            .constant(variance)
            .with("training_mode", 1),
        of("Concat", s(2, 3, 4), s(2, 1, 4), s(2, 5, 4)).with("axis", 1),
        of("Concat", s(2, 3), s(2, 4)).with("axis", -1),
        of("Concat", s(2, 3), s(1, 3)).with("axis", 0),
        of("Concat", s(5)).with("axis", 0),
        of("Slice", s(4, 5, 6)).constant(longs(1, -3)).constant(longs(3, 99)).constant(longs(0, 2)),
        of("Slice", s(4, 5)).constant(longs(0, 1)).constant(longs(4, -1)),
        of("Slice", s(4, 5)).constant(longs(2)).constant(longs(Long.MAX_VALUE)),
        of("Pad", s(2, 3, 4)).constant(longs(0, 1, 2, 3, 0, 1)),
        of("Pad", s(2, 3, 4)).constant(longs(0, -1, 2, 1, 0, -1)).constant(Tensor.of(s(), -2.5f)),
        of("Pad", s(2, 3, 4))
            .constant(longs(1, 2))
            .constant(Tensor.of(s(), 1f))
            .constant(longs(-1)),
        of("Clip", s(3, 7)).constant(Tensor.of(s(), -0.7f)).constant(Tensor.of(s(), 0.9f)),
        reduce,
        reduce.with("axes", v(2, 3)),
        reduce.with("axes", v(-1, 0)).with("keepdims", 0),
        reduce.constant(longs(1)),
        of("ReduceMean", s(3, 1)).with("axes", v(1)).with("keepdims", 0),
        of("ReduceSum", s(2, 3, 4)).constant(longs(0, 2)),
        of("Sum", s(2, 3), s(2, 3), s(1)),
        of("Sum", s(4)));
  }

  private static void check(Case c, Executable.Mode mode) {
    Graph graph = new Graph("test");
    SplittableRandom random = new SplittableRandom(c.toString().hashCode());
    List<String> wrt = new ArrayList<>();
    List<String> inputs = new ArrayList<>();
    for (Shape shape : c.shapes) {
      String name = "in" + wrt.size();
      wrt.add(name);
      graph.initializers().put(name, GradientCheck.random(random, shape, false));
    }
    inputs.addAll(wrt);
    for (Tensor constant : c.constants) {
      String name = "constant" + inputs.size();
      inputs.add(name);
      graph.initializers().put(name, constant);
    }
    graph.nodes().add(Node.of("n", OpId.onnx(c.op), inputs, List.of("y"), c.attributes));
    GradientCheck.addLoss(graph, random);
    new GradientCheck(device, mode).check(graph, wrt, Map.of());
  }

  @ParameterizedTest
  @MethodSource({"convolutions", "pools", "others"})
  void matchesDoublePrecision(Case c) {
    check(c, Executable.Mode.TRAINING);
  }

  @Test
  void normalizesByConstantsOutsideTraining() {
    Case norm =
        of("BatchNormalization", s(4, 3, 2, 5), s(3), s(3))
            .constant(Tensor.of(s(3), 0.5f, -1f, 2f))
            .constant(Tensor.of(s(3), 0.5f, 1f, 2f));
    check(norm, Executable.Mode.INFERENCE);
    check(norm.with("training_mode", 1).with("training_mode", 0), Executable.Mode.INFERENCE);
  }

  @Test
  void attributesOfOlderOperatorSetsAreRead() {
    Tensor x = GradientCheck.random(new SplittableRandom(3), s(3, 4), false);
    Case clip = of("Clip", s(3, 4));
    Map<String, Attribute> bounds =
        Map.of("min", new Attribute.Real(-0.5f), "max", new Attribute.Real(0.5f));
    float[] clipped = run(new Case("Clip", clip.shapes, List.of(), bounds), x).toFloats();
    for (int i = 0; i < clipped.length; i++) {
      assertEquals(Math.clamp(x.getFloat(i), -0.5f, 0.5f), clipped[i]);
    }
    Case slice = of("Slice", s(3, 4)).with("starts", v(1)).with("ends", v(3)).with("axes", v(1));
    Tensor part = run(slice, x);
    assertEquals(s(3, 2), part.shape());
    assertEquals(x.getFloat(5), part.getFloat(2));
    Tensor padded = run(of("Pad", s(3, 4)).with("pads", v(1, 0, 0, 1)), x);
    assertEquals(s(4, 5), padded.shape());
    assertEquals(0, padded.getFloat(4));
    assertEquals(x.getFloat(3), padded.getFloat(8));
  }

  private static Tensor run(Case c, Tensor x) {
    Graph graph = new Graph("test");
    graph.initializers().put("x", x);
    List<String> inputs = new ArrayList<>(List.of("x"));
    for (Tensor constant : c.constants) {
      inputs.add("constant" + inputs.size());
      graph.initializers().put(inputs.getLast(), constant);
    }
    graph.nodes().add(Node.of("n", OpId.onnx(c.op), inputs, List.of("y"), c.attributes));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    Model model = new Model(graph);
    try (Parameters parameters = Parameters.upload(device, graph);
        Executable executable =
            Executable.compile(model, Map.of(), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(Map.of()).get("y");
    }
  }

  @Test
  void trainingMovesTheRunningStatistics() {
    Graph graph = new Graph("test");
    graph.initializers().put("x", Tensor.of(s(2, 2), 1, 10, 3, 30));
    graph.initializers().put("scale", Tensor.of(s(2), 1, 1));
    graph.initializers().put("shift", Tensor.of(s(2), 0, 0));
    graph.initializers().put("mean", Tensor.of(s(2), 0, 100));
    graph.initializers().put("variance", Tensor.of(s(2), 1, 0));
    graph
        .nodes()
        .add(
            Node.of(
                "n",
                OpId.onnx("BatchNormalization"),
                List.of("x", "scale", "shift", "mean", "variance"),
                List.of("y"),
                Map.of("momentum", new Attribute.Real(0.75f))));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    try (Parameters parameters = Parameters.upload(device, graph)) {
      Model model = new Model(graph);
      try (Executable inference =
          Executable.compile(model, Map.of(), parameters, Executable.Mode.INFERENCE)) {
        inference.run(Map.of());
        assertEquals(100, parameters.toHost("mean").getFloat(1));
      }
      try (Executable training =
          Executable.compile(model, Map.of(), parameters, Executable.Mode.TRAINING)) {
        training.run(Map.of());
      }
      // batch: means 2 and 20, biased variances 1 and 100
      GradientCheck.assertClose("mean", new double[] {0.5, 80}, parameters.toHost("mean"));
      GradientCheck.assertClose("var", new double[] {1, 25}, parameters.toHost("variance"));
    }
  }

  static Stream<Case> misfits() {
    return Stream.of(
        of("Conv", s(1, 3, 5, 5), s(4, 2, 3, 3)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 6, 3)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3), s(3)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3)).with("kernel_shape", v(3, 2)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3)).with("auto_pad", "SAME"),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3)).with("pads", v(1, 1)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3)).with("pads", v(1, 1, -1, 1)),
        of("Conv", s(1, 3, 5, 5), s(4, 3, 3, 3)).with("strides", v(0, 1)),
        of("Conv", s(1, 2, 5, 5, 5), s(4, 2, 3, 3, 3)),
        of("MaxPool", s(1, 3, 5, 5)).with("kernel_shape", v(2, 2)).with("storage_order", 1),
        of("MaxPool", s(1, 3, 5, 5)),
        of("BatchNormalization", s(2, 3), s(3), s(3), s(3), s(2)),
        of("Concat", s(2, 3), s(3, 3)).with("axis", 1),
        of("Slice", s(4)).constant(longs(3)).constant(longs(2)),
        of("Slice", s(4))
            .constant(longs(0))
            .constant(longs(4))
            .constant(longs(0))
            .constant(longs(2)),
        of("Pad", s(4)).constant(longs(1)),
        of("Pad", s(4)).constant(longs(1, 1)).with("mode", "reflect"));
  }

  @ParameterizedTest
  @MethodSource("misfits")
  void whatDoesNotFitIsSaidInOneSentence(Case c) {
    Graph graph = new Graph("test");
    List<String> inputs = new ArrayList<>();
    for (Shape shape : c.shapes) {
      inputs.add("in" + inputs.size());
      graph.initializers().put(inputs.getLast(), Tensor.zeros(DType.F32, shape));
    }
    for (Tensor constant : c.constants) {
      inputs.add("constant" + inputs.size());
      graph.initializers().put(inputs.getLast(), constant);
    }
    graph.nodes().add(Node.of("n", OpId.onnx(c.op), inputs, List.of("y"), c.attributes));
    Model model = new Model(graph);
    String message =
        assertThrows(IllegalArgumentException.class, () -> ShapeInference.of(model, Map.of()), c.op)
            .getMessage();
    assertTrue(message.startsWith(c.op + " 'n': "), message);
  }
}
