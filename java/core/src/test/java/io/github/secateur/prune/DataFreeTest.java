package io.github.secateur.prune;

import static io.github.secateur.prune.Pattern.Axis.INPUT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Data-free pruning of small graphs made by hand, with operators that the engine cannot run. */
class DataFreeTest {
  private static final DataFree.Options HALF =
      new DataFree.Options(new Criterion.Magnitude(Norm.L1), new Allocation.PerLayer(), 0.5);

  @Test
  void weightsInConstantsSubgraphsAndConvolutionsAreTaken() {
    Graph branch = new Graph("then");
    branch.initializers().put("w", Tensor.of(Shape.of(2, 2), 4, 3, 2, 1));
    branch.nodes().add(Node.of("inner", "MatMul", List.of("h", "w"), List.of("t")));
    Graph graph = new Graph("g");
    graph.initializers().put("filters", Tensor.of(Shape.of(2, 1, 1, 2), 1, -8, 2, 7));
    graph.initializers().put("filters.bias", Tensor.of(Shape.of(2), 0.01f, 0.01f));
    graph
        .nodes()
        .add(Node.of("conv", "Conv", List.of("x", "filters", "filters.bias"), List.of("c")));
    graph
        .nodes()
        .add(
            Node.of(
                "constant",
                OpId.onnx("Constant"),
                List.of(),
                List.of("m"),
                Map.of("value", new Attribute.Data(Tensor.of(Shape.of(2, 2), 1, 2, 3, 4)))));
    graph
        .nodes()
        .add(
            Node.of(
                "mystery", new OpId("elsewhere", "Twist"), List.of("c"), List.of("d"), Map.of()));
    graph.nodes().add(Node.of("multiply", "MatMul", List.of("d", "m"), List.of("h")));
    graph
        .nodes()
        .add(
            Node.of(
                "if",
                OpId.onnx("If"),
                List.of("flag"),
                List.of("y"),
                Map.of("then_branch", new Attribute.Subgraph(branch))));
    Model model = new Model(graph);

    DataFree.Result result = DataFree.prune(model, HALF);

    assertEquals(0.5, result.reached());
    assertEquals(0.5, result.requested());
    assertFloats(result.model(), "filters", 0, -8, 0, 7);
    assertFloats(result.model(), "m", 0, 0, 3, 4);
    assertFloats(result.model(), "if::then_branch::w", 4, 3, 0, 0);
    assertEquals(
        List.of("filters", "m", "if::then_branch::w"),
        result.taken().stream().map(LayerSparsity::parameter).toList());
    assertEquals(
        List.of("filters.bias"), result.left().stream().map(DataFree.Left::parameter).toList());
    assertEquals(List.of("filters"), List.copyOf(result.model().masks().keySet()));
    assertFloats(model, "filters", 1, -8, 2, 7); // the model given is as it was
    assertFloats(model, "m", 1, 2, 3, 4);
    assertFloats(model, "if::then_branch::w", 4, 3, 2, 1);
  }

  @Test
  void aSharedWeightCountsOnce() {
    Graph graph = new Graph("g");
    graph.initializers().put("w", Tensor.of(Shape.of(2, 2), 1, 2, 3, 4));
    graph.nodes().add(Node.of("a", "MatMul", List.of("x", "w"), List.of("h")));
    graph.nodes().add(Node.of("b", "MatMul", List.of("h", "w"), List.of("y")));
    DataFree.Result result = DataFree.prune(new Model(graph), HALF);
    assertEquals(1, result.taken().size());
    assertFloats(result.model(), "w", 0, 0, 3, 4);
  }

  @Test
  void halfPrecisionKeepsItsTypeAndItsKeptBits() {
    Graph graph = new Graph("g");
    short[] f16 = {0x3c00, (short) 0xc000, 0x4200, 0x0001}; // 1, -2, 3, 6e-8
    short[] bf16 = {0x3f80, (short) 0xc000, 0x4040, 0x0001}; // 1, -2, 3, 9e-41
    graph.initializers().put("half", shorts(DType.F16, f16));
    graph.initializers().put("brain", shorts(DType.BF16, bf16));
    graph.nodes().add(Node.of("a", "MatMul", List.of("x", "half"), List.of("h")));
    graph.nodes().add(Node.of("b", "MatMul", List.of("h", "brain"), List.of("y")));
    Model pruned = DataFree.prune(new Model(graph), HALF).model();
    short[] wanted16 = {0, (short) 0xc000, 0x4200, 0};
    assertArrayEquals(wanted16, shorts(pruned.graph().initializer("half")));
    assertArrayEquals(wanted(bf16), shorts(pruned.graph().initializer("brain")));
    assertEquals(DType.BF16, pruned.graph().initializer("brain").dtype());
  }

  @Test
  void patternsTakeEveryType() {
    Graph graph = new Graph("g");
    graph.initializers().put("half", shorts(DType.F16, new short[] {0x3c00, 0x4000, 0x4200, 1}));
    graph.initializers().put("filters", Tensor.of(Shape.of(1, 2, 1, 2), 1, -8, 2, 7));
    graph.nodes().add(Node.of("conv", "Conv", List.of("x", "filters"), List.of("c")));
    graph.nodes().add(Node.of("a", "MatMul", List.of("c", "half"), List.of("h")));
    Model pruned =
        DataFree.prune(new Model(graph), options(new Pattern.NM(1, 2, INPUT, false))).model();
    // MatMul's inputs are its rows; the convolution's are channels at each place.
    assertArrayEquals(
        new short[] {0, 0x4000, 0x4200, 0}, shorts(pruned.graph().initializer("half")));
    assertFloats(pruned, "filters", 0, -8, 2, 0);
    pruned = DataFree.prune(new Model(graph), options(new Pattern.Block(1, 2))).model();
    assertArrayEquals(
        new short[] {0x3c00, 0, 0x4200, 0}, shorts(pruned.graph().initializer("half")));
  }

  @Test
  void excludedLayersAreLeft() {
    Graph graph = new Graph("g");
    graph.initializers().put("v", Tensor.of(Shape.of(2, 2), 1, 2, 3, 4));
    graph.initializers().put("w", Tensor.of(Shape.of(2, 2), 1, 2, 3, 4));
    graph.nodes().add(Node.of("a", "MatMul", List.of("x", "v"), List.of("h")));
    graph.nodes().add(Node.of("b", "MatMul", List.of("h", "w"), List.of("y")));
    DataFree.Result result = DataFree.prune(new Model(graph), excluding("a"));
    assertEquals(List.of(new DataFree.Left("v", "excluded")), result.left());
    assertFloats(result.model(), "v", 1, 2, 3, 4);
    assertFloats(result.model(), "w", 0, 0, 3, 4);
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> DataFree.prune(new Model(graph), excluding("c")));
    assertEquals("there is no prunable layer 'c'; there are a, b", e.getMessage());
  }

  @Test
  void masksOfOnesOwnNeedTheNetworkToRun() {
    assertThrows(IllegalArgumentException.class, () -> options(new Pattern.Given(Map.of())));
  }

  private static DataFree.Options options(Pattern pattern) {
    return new DataFree.Options(
        new Criterion.Magnitude(Norm.L1), pattern, new Allocation.PerLayer(), Limits.NONE, 0.5);
  }

  private static DataFree.Options excluding(String layer) {
    return new DataFree.Options(
        new Criterion.Magnitude(Norm.L1),
        new Pattern.Unstructured(),
        new Allocation.PerLayer(),
        new Limits(1, Map.of(), 0, Set.of(layer), Set.of()),
        0.5);
  }

  @Test
  void nothingPrunableIsSaid() {
    Graph graph = new Graph("empty");
    graph.nodes().add(Node.of("relu", "Relu", List.of("x"), List.of("y")));
    var e =
        assertThrows(IllegalArgumentException.class, () -> DataFree.prune(new Model(graph), HALF));
    assertTrue(e.getMessage().contains("'empty' has no prunable weight"), e.getMessage());
  }

  @Test
  void aSparsityAboveOneIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new DataFree.Options(new Criterion.Random(1), new Allocation.Global(), 1.5));
  }

  private static void assertFloats(Model model, String path, float... values) {
    assertArrayEquals(values, ParameterPath.read(model, path).toFloats(), path);
  }

  private static short[] wanted(short[] bits) {
    return new short[] {0, bits[1], bits[2], 0};
  }

  private static Tensor shorts(DType dtype, short[] bits) {
    Tensor t = Tensor.zeros(dtype, Shape.of(2, 2));
    for (int i = 0; i < bits.length; i++) {
      t.data().set(ValueLayout.JAVA_SHORT, 2L * i, bits[i]);
    }
    return t;
  }

  private static short[] shorts(Tensor t) {
    return t.data().toArray(ValueLayout.JAVA_SHORT);
  }
}
