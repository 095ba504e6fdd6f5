package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.exec.ShapeInference;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Sparse products that do what follows them give the same numbers, and only where they may. */
class FusionTest {
  private static final int IN = 40;
  private static final int OUT = 30;

  private static Node node(String op, String input, String output, Map<String, Attribute> more) {
    return Node.of(op + " of " + input, OpId.onnx(op), List.of(input), List.of(output), more);
  }

  private static List<Node> activations(String input, String output) {
    return List.of(
        node("Relu", input, output, Map.of()),
        node("LeakyRelu", input, output, Map.of()),
        node("LeakyRelu", input, output, Map.of("alpha", new Attribute.Real(0.3f))),
        node("Sigmoid", input, output, Map.of()),
        node("Tanh", input, output, Map.of()),
        node("Gelu", input, output, Map.of()),
        node("Gelu", input, output, Map.of("approximate", new Attribute.Text("tanh"))));
  }

  private static Node product(String bias) {
    List<String> inputs = bias.isEmpty() ? List.of("x", "w") : List.of("x", "w", bias);
    return Node.of("fc", SparseGemm.ID, inputs, List.of("p"), Map.of());
  }

  private static Node add(String a, String b) {
    return Node.of("add", "Add", List.of(a, b), List.of("s"));
  }

  /** Nodes between x and the graph's one output, the last node's. */
  private static Model model(boolean sequence, Node... nodes) {
    Graph graph = new Graph("one");
    graph.inputs().add(value("x", sequence, IN));
    graph.initializers().put("w", RandomWeights.of(Shape.of(OUT, IN), rows(), 0.8, 1));
    graph.initializers().put("b", random(Shape.of(OUT)));
    graph.initializers().put("scalar", random(Shape.of(1)));
    graph.nodes().addAll(List.of(nodes));
    graph.outputs().add(value(graph.nodes().getLast().output(), sequence, OUT));
    Model model = new Model(graph);
    model.opsets().put(Node.SECATEUR, 1L);
    model.opsets().put("", 20L);
    return model;
  }

  private static SparseFormat rows() {
    return new SparseFormat.Rows();
  }

  private static ValueInfo value(String name, boolean sequence, int last) {
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    ValueInfo.Dim size = ValueInfo.Dim.of(last);
    return sequence
        ? ValueInfo.of(name, DType.F32, batch, ValueInfo.Dim.of(3), size)
        : ValueInfo.of(name, DType.F32, batch, size);
  }

  private static Tensor random(Shape shape) {
    Shape matrix = Shape.of(1, shape.size());
    return RandomWeights.of(matrix, rows(), 0, 2).reshape(shape);
  }

  private static Model fused(Model model) {
    return model.withGraph(Fusion.fuse(model.graph()));
  }

  private static void assertSameNumbers(Model a, Model b, long batch) {
    Shape shape = a.graph().inputs().getFirst().shape(batch);
    Map<String, Tensor> x = Map.of("x", random(shape));
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      Map<String, Tensor> wanted = run(device, a, x);
      Map<String, Tensor> got = run(device, b, x);
      assertEquals(wanted.keySet(), got.keySet());
      wanted.forEach(
          (name, tensor) -> {
            assertEquals(tensor.shape(), got.get(name).shape());
            for (long i = 0; i < tensor.size(); i++) {
              assertEquals(tensor.getFloat(i), got.get(name).getFloat(i), 1e-5, name + " at " + i);
            }
          });
    }
  }

  private static Map<String, Tensor> run(Device device, Model model, Map<String, Tensor> x) {
    try (Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of("x", x.get("x").shape()), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(x);
    }
  }

  @Test
  void activationsAreFused() {
    for (Node activation : activations("p", "y")) {
      for (String bias : List.of("", "b")) {
        for (boolean sequence : new boolean[] {false, true}) {
          Model model = model(sequence, product(bias), activation);
          Model fused = fused(model);
          assertEquals(1, fused.graph().nodes().size(), activation::toString);
          assertEquals(2, model.graph().nodes().size(), "the given graph is unchanged");
          assertSameNumbers(model, fused, 5);
        }
      }
    }
  }

  @Test
  void biasesAreFused() {
    for (Node add : List.of(add("p", "b"), add("b", "p"))) {
      Model alone = model(true, product(""), add);
      assertEquals(List.of("x", "w", "b"), fused(alone).graph().nodes().getFirst().inputs());
      assertSameNumbers(alone, fused(alone), 4);
      for (Node activation : activations("s", "y")) {
        Model model = model(false, product(""), add, activation);
        assertEquals(1, fused(model).graph().nodes().size());
        assertSameNumbers(model, fused(model), 4);
      }
    }
  }

  @Test
  void chainsOfProductsAreFusedEach() {
    Node second = Node.of("fc2", SparseGemm.ID, List.of("y", "v"), List.of("q"), Map.of());
    Model model =
        model(
            false,
            product("b"),
            node("Relu", "p", "y", Map.of()),
            second,
            node("Tanh", "q", "z", Map.of()));
    model.graph().initializers().put("v", RandomWeights.of(Shape.of(OUT, OUT), rows(), 0.8, 3));
    model.graph().values().add(value("p", false, OUT));
    model.graph().values().add(value("y", false, OUT));
    Model fused = fused(model);
    assertEquals(2, fused.graph().nodes().size());
    assertEquals(List.of("y"), fused.graph().values().stream().map(ValueInfo::name).toList());
    assertSameNumbers(model, fused, 5);
    assertEquals(fused.graph().nodes(), Fusion.fuse(fused.graph()).nodes(), "nothing is left");
  }

  private static void assertKept(Model model) {
    assertEquals(model.graph().nodes(), fused(model).graph().nodes());
  }

  @Test
  void aValueThatOthersReadIsKept() {
    Node relu = node("Relu", "p", "y", Map.of());
    Model output = model(false, product("b"), relu);
    output.graph().outputs().add(value("p", false, OUT));
    assertKept(output);
    assertKept(
        model(false, product("b"), relu, Node.of("two", "Add", List.of("p", "y"), List.of("z"))));
    assertKept(model(false, product(""), Node.of("twice", "Add", List.of("p", "p"), List.of("z"))));
    Graph body = new Graph("body");
    body.nodes().add(node("Identity", "p", "inner", Map.of()));
    Node inside =
        Node.of(
            "if",
            OpId.onnx("If"),
            List.of("x"),
            List.of("z"),
            Map.of("then_branch", new Attribute.Subgraph(body)));
    assertKept(model(false, product("b"), relu, inside));
  }

  @Test
  void whatAProductCannotDoIsKept() {
    assertKept(model(false, product("b"), node("Exp", "p", "y", Map.of())));
    assertKept(model(false, product("b"), add("p", "b"))); // a second bias
    assertKept(model(false, product(""), add("p", "scalar")));
    assertKept(model(false, product(""), add("p", "x")));
    Node foreign = Node.of("r", new OpId("other", "Relu"), List.of("p"), List.of("y"), Map.of());
    assertKept(model(false, product(""), foreign));
    Node activated = product("").with("activation", new Attribute.Text("RELU"));
    assertKept(model(false, activated, node("Tanh", "p", "y", Map.of())));
    assertKept(model(false, activated, add("p", "b")));
  }

  /** What is timed against each other computes the same. */
  @Test
  void aLayerAloneIsTheSameDenseAndSparse() {
    List<Node> products = new ArrayList<>();
    products.add(Node.of("fc", "MatMul", List.of("x", "wt"), List.of("p")));
    Map<String, Attribute> stored = Map.of("transB", new Attribute.Int(1));
    products.add(Node.of("fc", OpId.onnx("Gemm"), List.of("x", "w", "b"), List.of("p"), stored));
    for (Node product : products) {
      boolean hasBias = product.is("Gemm");
      Node relu = node("Relu", hasBias ? "p" : "s", "y", Map.of());
      Node after = node("Abs", "y", "z", Map.of());
      Model model =
          hasBias
              ? model(false, product, relu, after)
              : model(true, product, add("p", "b"), relu, after);
      Tensor w = model.graph().initializer("w");
      model.graph().initializers().put("wt", RandomWeights.transpose(w));
      SparseLayer layer = SparseLayer.find(model, 0.3).getFirst();
      assertEquals(hasBias ? 1 : 2, layer.tail().size());
      assertTrue(SparseLayer.find(model, 0.81).isEmpty());
      Model dense = layer.alone(model, ShapeInference.of(model, Bound.inputShapes(model, 7)));
      assertEquals(layer.tail().size() + 1, dense.graph().nodes().size());
      Model sparse = SparseLayer.replace(dense, List.of(layer), List.of(layer.sparse(rows())));
      assertEquals(1, sparse.graph().nodes().size());
      assertSameNumbers(dense, sparse, 7);
      Model whole = SparseLayer.replace(model, List.of(layer), List.of(layer.sparse(rows())));
      assertEquals(2, whole.graph().nodes().size());
      assertSameNumbers(model, whole, 2);
    }
  }
}
