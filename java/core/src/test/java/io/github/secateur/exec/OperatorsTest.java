package io.github.secateur.exec;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.MeanSquaredError;
import io.github.secateur.graph.op.SoftmaxCrossEntropy;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every differentiable operator: values against double precision, gradients against central
 * differences in double precision, on shapes with broadcasting and sizes of 1.
 */
class OperatorsTest {
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
   * @param positive whether the inputs must be away from 0 and positive (Log, Sqrt, divisors)
   */
  record Case(String op, List<Shape> shapes, Map<String, Attribute> attributes, boolean positive) {
    @Override
    public String toString() {
      return op + shapes + attributes.keySet();
    }
  }

  private static Case of(String op, Shape... shapes) {
    return new Case(op, List.of(shapes), Map.of(), op.matches("Log|Sqrt|Div"));
  }

  private static Case with(Case plain, Map<String, Attribute> attributes) {
    return new Case(plain.op, plain.shapes, attributes, plain.positive);
  }

  private static Shape s(long... dims) {
    return Shape.of(dims);
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    Attribute yes = new Attribute.Int(1);
    cases.add(of("Gemm", s(3, 5), s(5, 4)));
    cases.add(of("Gemm", s(1, 1), s(1, 1), s(1)));
    cases.add(of("Gemm", s(3, 5), s(5, 4), s(3, 1)));
    cases.add(of("Gemm", s(3, 5), s(5, 4), s()));
    for (Shape bias : List.of(s(4), s(1, 4), s(3, 4), s(1))) {
      Attribute alpha = new Attribute.Real(0.5f);
      Attribute beta = new Attribute.Real(-1.5f);
      cases.add(with(of("Gemm", s(3, 5), s(4, 5), bias), Map.of("transB", yes)));
      cases.add(with(of("Gemm", s(5, 3), s(5, 4), bias), Map.of("transA", yes, "alpha", alpha)));
      cases.add(
          with(
              of("Gemm", s(5, 3), s(4, 5), bias),
              Map.of("transA", yes, "transB", yes, "beta", beta)));
    }
    cases.add(of("MatMul", s(3, 5), s(5, 4)));
    cases.add(of("MatMul", s(2, 1, 3, 5), s(5, 4)));
    cases.add(of("MatMul", s(1, 1), s(1, 1)));
    for (String op : List.of("Add", "Sub", "Mul", "Div")) {
      cases.add(of(op, s(3, 4), s(3, 4)));
      cases.add(of(op, s(3, 4), s(4)));
      cases.add(of(op, s(4), s(3, 4)));
      cases.add(of(op, s(3, 1), s(1, 4)));
      cases.add(of(op, s(2, 3, 1, 5), s(3, 4, 1)));
      cases.add(of(op, s(2, 3), s()));
      cases.add(of(op, s(), s()));
      cases.add(of(op, s(1, 1, 1), s(7)));
    }
    for (String op :
        List.of(
            "Relu",
            "LeakyRelu",
            "Sigmoid",
            "Tanh",
            "Gelu",
            "Neg",
            "Exp",
            "Log",
            "Sqrt",
            "Erf",
            "Abs",
            "Identity",
            "Softmax",
            "Transpose")) {
      cases.add(of(op, s(17)));
      cases.add(of(op, s(3, 1, 5)));
      cases.add(of(op, s(2, 19)));
    }
    cases.add(with(of("LeakyRelu", s(3, 9)), Map.of("alpha", new Attribute.Real(0.3f))));
    cases.add(with(of("Gelu", s(3, 9)), Map.of("approximate", new Attribute.Text("tanh"))));
    for (int axis = -3; axis < 3; axis++) {
      cases.add(with(of("Softmax", s(2, 3, 4)), Map.of("axis", new Attribute.Int(axis))));
    }
    cases.add(
        with(of("Transpose", s(2, 3, 4)), Map.of("perm", new Attribute.Ints(List.of(2L, 0L, 1L)))));
    cases.add(of("Flatten", s(2, 3, 4)));
    cases.add(with(of("Flatten", s(2, 3, 4)), Map.of("axis", new Attribute.Int(2))));
    cases.add(with(of("Flatten", s(2, 3, 4)), Map.of("axis", new Attribute.Int(0))));
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesDoublePrecision(Case c) {
    Graph graph = new Graph("test");
    SplittableRandom random = new SplittableRandom(c.toString().hashCode());
    List<String> names = new ArrayList<>();
    for (Shape shape : c.shapes) {
      String name = "in" + names.size();
      names.add(name);
      graph.initializers().put(name, random(random, shape, c.positive));
    }
    graph.nodes().add(Node.of("n", OpId.onnx(c.op), names, List.of("y"), c.attributes));
    GradientCheck.addLoss(graph, random);
    names.add("target");
    check(graph, names, Map.of());
  }

  @ParameterizedTest
  @MethodSource("reshapes")
  void reshapesMatch(long[] wanted) {
    Graph graph = new Graph("test");
    graph.initializers().put("in0", random(new SplittableRandom(1), s(2, 3, 4), false));
    graph.initializers().put("shape", Tensor.ofLongs(s(wanted.length), wanted));
    graph.nodes().add(Node.of("r", "Reshape", List.of("in0", "shape"), List.of("y")));
    graph.initializers().put("target", Tensor.zeros(DType.F32, s(4, 6)));
    graph
        .nodes()
        .add(
            Node.of(
                "loss", MeanSquaredError.ID, List.of("y", "target"), List.of("loss"), Map.of()));
    graph.outputs().add(ValueInfo.of("loss", DType.F32));
    check(graph, List.of("in0"), Map.of());
  }

  static Stream<long[]> reshapes() {
    return Stream.of(new long[] {4, 6}, new long[] {-1, 6}, new long[] {4, -1});
  }

  @ParameterizedTest
  @MethodSource("classSizes")
  void crossEntropyMatches(long[] size) {
    Graph graph = new Graph("test");
    SplittableRandom random = new SplittableRandom(5);
    graph.initializers().put("x", random(random, s(size), false));
    graph.inputs().add(ValueInfo.of("labels", DType.I32, ValueInfo.Dim.symbol("batch")));
    graph
        .nodes()
        .add(
            Node.of(
                "loss",
                SoftmaxCrossEntropy.ID,
                List.of("x", "labels"),
                List.of("loss", "p"),
                Map.of()));
    graph.outputs().add(ValueInfo.of("loss", DType.F32));
    graph.outputs().add(ValueInfo.of("p", DType.F32));
    int[] labels = random.ints(size[0], 0, (int) size[1]).toArray();
    check(graph, List.of("x"), Map.of("labels", Tensor.ofInts(s(size[0]), labels)));
  }

  static Stream<long[]> classSizes() {
    return Stream.of(new long[] {5, 10}, new long[] {1, 1}, new long[] {3, 1}, new long[] {1, 33});
  }

  private static void check(Graph graph, List<String> wrt, Map<String, Tensor> inputs) {
    new GradientCheck(device, Executable.Mode.TRAINING).check(graph, wrt, inputs);
  }

  private static Tensor random(SplittableRandom random, Shape shape, boolean positive) {
    return GradientCheck.random(random, shape, positive);
  }
}
