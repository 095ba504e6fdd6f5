package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.TensorType;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.graph.op.SparseGemm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShapeInferenceTest {
  private final Graph graph = new Graph("test");

  @BeforeEach
  void declare() {
    graph
        .inputs()
        .add(
            ValueInfo.of(
                "x",
                DType.F32,
                ValueInfo.Dim.symbol("batch"),
                ValueInfo.Dim.of(2),
                ValueInfo.Dim.of(6)));
    graph.initializers().put("w", Tensor.zeros(DType.F32, Shape.of(4, 6)));
    graph.initializers().put("b", Tensor.zeros(DType.F32, Shape.of(4)));
  }

  private TensorType infer(Node node) {
    graph.nodes().clear();
    graph.nodes().add(node);
    return ShapeInference.of(new Model(graph), Map.of("x", Shape.of(5, 2, 6))).type("y");
  }

  private String refusal(Node node) {
    return assertThrows(IllegalArgumentException.class, () -> infer(node)).getMessage();
  }

  private Node reshape(long... shape) {
    graph.initializers().put("shape", Tensor.ofLongs(Shape.of(shape.length), shape));
    return Node.of("r", "Reshape", List.of("x", "shape"), List.of("y"));
  }

  @Test
  void reshapeFillsIn() {
    assertEquals(TensorType.f32(5, 12), infer(reshape(0, -1)));
    assertEquals(TensorType.f32(60), infer(reshape(-1)));
    assertEquals(TensorType.f32(5, 2, 3, 2), infer(reshape(0, 0, 3, -1)));
    assertEquals("Reshape 'r': cannot reshape [5, 2, 6] to [7, -1]", refusal(reshape(7, -1)));
    assertEquals("Reshape 'r': cannot reshape [5, 2, 6] to [-1, -1]", refusal(reshape(-1, -1)));
    assertEquals("Reshape 'r': cannot reshape [5, 2, 6] to [59]", refusal(reshape(59)));
  }

  private static Node sparse(String... inputs) {
    return Node.of("s", SparseGemm.ID, List.of(inputs), List.of("y"), Map.of());
  }

  @Test
  void sparseProductKeepsLeadingAxes() {
    assertEquals(TensorType.f32(5, 2, 4), infer(sparse("x", "w", "b")));
    graph.initializers().put("w", Tensor.zeros(DType.F32, Shape.of(6, 4)));
    assertEquals(
        TensorType.f32(5, 2, 4),
        infer(sparse("x", "w", "b").with("transposed", new Attribute.Int(1))));
    assertEquals(
        "secateur.SparseGemm 's': x 'x' [5, 2, 6] and weight 'w' [6, 4] stored [out, in] do not"
            + " multiply",
        refusal(sparse("x", "w", "b")));
    graph.initializers().put("w", Tensor.zeros(DType.F32, Shape.of(3, 6)));
    assertEquals(
        "secateur.SparseGemm 's': bias 'b' must be [3], got [4]", refusal(sparse("x", "w", "b")));
  }

  @Test
  void operandsThatDoNotFitAreNamed() {
    assertEquals(
        "Add 'a': shapes [5, 2, 6] and [4] do not broadcast; sizes must be equal or 1, aligned at"
            + " the last axis",
        refusal(Node.of("a", "Add", List.of("x", "b"), List.of("y"))));
    assertEquals(
        "Softmax 's': axis 3 is out of range for rank 3",
        refusal(
            Node.of("s", "Softmax", List.of("x"), List.of("y"))
                .with("axis", new Attribute.Int(3))));
    assertEquals(
        "MatMul 'm': 'x' [5, 2, 6] and 'w' [4, 6] do not multiply",
        refusal(Node.of("m", "MatMul", List.of("x", "w"), List.of("y"))));
    assertEquals(
        "nothing in graph 'test' makes the value 'z' before it is read",
        refusal(Node.of("i", "Identity", List.of("z"), List.of("y"))));
    assertEquals(
        "Relu 'r': input 0 is missing", refusal(Node.of("r", "Relu", List.of(), List.of("y"))));
  }
}
