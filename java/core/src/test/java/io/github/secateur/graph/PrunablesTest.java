package io.github.secateur.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PrunablesTest {
  private final Graph graph = new Graph("test");
  private final Model model = new Model(graph);

  private void weight(String name, long... dims) {
    graph.initializers().put(name, Tensor.zeros(DType.F32, Shape.of(dims)));
  }

  private Node node(String op, List<String> inputs, String output) {
    Node node = Node.of("node-" + output, op, inputs, List.of(output));
    graph.nodes().add(node);
    return node;
  }

  private Prunable only() {
    List<Prunable> found = Prunables.find(model);
    assertEquals(1, found.size(), found.toString());
    return found.getFirst();
  }

  private void assertAxes(int out, int in) {
    assertEquals(out, only().outAxis());
    assertEquals(in, only().inAxis());
  }

  @Test
  void gemmStoresInOutUnlessTransposed() {
    weight("w", 3, 4);
    Node gemm = node("Gemm", List.of("x", "w"), "y");
    assertAxes(1, 0);
    graph.replace(gemm, gemm.with("transB", new Attribute.Int(1)));
    assertAxes(0, 1);
    assertEquals("node-y", only().layer());
    assertEquals("Gemm", only().opType());
  }

  @Test
  void gemmWithTheWeightOnTheLeft() {
    weight("w", 3, 4);
    Node gemm = node("Gemm", List.of("w", "x"), "y");
    assertAxes(0, 1);
    graph.replace(gemm, gemm.with("transA", new Attribute.Int(1)));
    assertAxes(1, 0);
  }

  @Test
  void matMulOnEitherSide() {
    weight("w", 3, 4);
    Node right = node("MatMul", List.of("x", "w"), "y");
    assertAxes(1, 0);
    graph.nodes().remove(right);
    node("MatMul", List.of("w", "x"), "y");
    assertAxes(0, 1);
  }

  @Test
  void transposeCastAndIdentityAreFollowed() {
    weight("w", 3, 4);
    node("Transpose", List.of("w"), "t");
    node("Cast", List.of("t"), "c");
    node("Identity", List.of("c"), "i");
    node("MatMul", List.of("x", "i"), "y");
    assertAxes(0, 1);
    assertEquals("w", only().parameter());
  }

  @Test
  void convolutionsAndRecurrentLayers() {
    weight("conv", 8, 4, 3, 3);
    weight("deconv", 8, 4, 3, 3);
    weight("w", 1, 16, 5);
    weight("r", 1, 16, 4);
    weight("b", 1, 32);
    node("Conv", List.of("x", "conv"), "y1");
    node("ConvTranspose", List.of("y1", "deconv"), "y2");
    node("LSTM", List.of("s", "w", "r", "b"), "y3");
    List<Prunable> found = Prunables.find(model);
    assertEquals(
        List.of("conv 0 1", "deconv 1 0", "w 1 2", "r 1 2"),
        found.stream().map(p -> p.parameter() + " " + p.outAxis() + " " + p.inAxis()).toList());
    assertEquals(
        List.of("b"), Prunables.left(model).stream().map(Prunables.Left::parameter).toList());
    assertTrue(Prunables.left(model).getFirst().reason().contains("bias or state of LSTM"));
  }

  @Test
  void sharedWeightIsListedOnceAndTiedEmbeddingIsLeft() {
    weight("w", 4, 4);
    weight("tied", 10, 4);
    node("MatMul", List.of("x", "w"), "a");
    node("MatMul", List.of("a", "w"), "b");
    node("Gather", List.of("tied", "ids"), "e");
    node("Transpose", List.of("tied"), "t");
    node("MatMul", List.of("b", "t"), "y");
    assertEquals("w", only().parameter());
    assertEquals("tied", Prunables.left(model).getFirst().parameter());
    assertTrue(Prunables.left(model).getFirst().reason().startsWith("embedding"));
  }

  @Test
  void biasesNormsAndBatchedOperandsAreLeftWithReasons() {
    weight("w", 4, 4);
    weight("bias", 4);
    weight("scale", 4);
    weight("batched", 2, 4, 4);
    weight("unread", 4);
    weight("scalar");
    node("Gemm", List.of("x", "w", "bias"), "y");
    node("LayerNormalization", List.of("y", "scale"), "z");
    node("MatMul", List.of("z", "batched"), "o");
    node("Mul", List.of("o", "scalar"), "p");
    Map<String, String> reasons = new HashMap<>();
    Prunables.left(model).forEach(l -> reasons.put(l.parameter(), l.reason()));
    assertEquals(
        Map.of(
            "bias", "bias or state of Gemm 'node-y'",
            "scale", "norm parameter of LayerNormalization 'node-z'",
            "batched", "operand of rank 3 of MatMul 'node-o'",
            "unread", "no node reads it directly"),
        reasons);
  }

  @Test
  void quantizedWeightIsFollowed() {
    graph.initializers().put("q", Tensor.zeros(DType.I8, Shape.of(3, 4)));
    weight("s");
    node("DequantizeLinear", List.of("q", "s"), "w");
    node("MatMul", List.of("x", "w"), "y");
    assertEquals("q", only().parameter());
    assertEquals(DType.I8, only().dtype());
  }

  @Test
  void constantsAndSubgraphsAreReachedReadAndWritten() {
    Graph body = new Graph("then");
    body.initializers().put("inner", Tensor.of(Shape.of(1, 2), 1, 2));
    weight("outer", 2, 3);
    body.nodes().add(Node.of("m1", "MatMul", List.of("x", "inner"), List.of("h")));
    body.nodes().add(Node.of("m2", "MatMul", List.of("h", "outer"), List.of("y")));
    Attribute value = new Attribute.Data(Tensor.of(Shape.of(1, 1), 7));
    graph
        .nodes()
        .add(Node.of("", OpId.onnx("Constant"), List.of(), List.of("c"), Map.of("value", value)));
    node("MatMul", List.of("x", "c"), "z");
    Node branch = node("If", List.of("cond"), "out");
    graph.replace(branch, branch.with("then_branch", new Attribute.Subgraph(body)));

    List<String> found = Prunables.find(model).stream().map(Prunable::parameter).toList();
    String inner = "node-out::then_branch::inner";
    assertEquals(List.of("c", inner, "outer"), found);
    assertEquals(2, ParameterPath.read(model, inner).getFloat(1));

    Model copy = model.copy();
    ParameterPath.write(copy, inner, Tensor.of(Shape.of(1, 2), 0, 5));
    ParameterPath.write(copy, "c", Tensor.of(Shape.of(1, 1), 9));
    assertEquals(5, ParameterPath.read(copy, inner).getFloat(1));
    assertEquals(9, ParameterPath.read(copy, "c").getFloat(0));
    assertEquals(2, ParameterPath.read(model, inner).getFloat(1), "the original is unchanged");
    assertEquals(7, ParameterPath.read(model, "c").getFloat(0), "the original is unchanged");
    assertThrows(IllegalArgumentException.class, () -> ParameterPath.read(model, "nothing"));
  }
}
