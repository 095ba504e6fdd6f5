package io.github.secateur.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.BatchNormFolding;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.nn.Convolutional;
import io.github.secateur.nn.Image;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A folded network computes what it did, with fewer nodes. */
class BatchNormFoldingTest {
  private static Tensor random(long seed, boolean positive, long... dims) {
    return GradientCheck.random(new SplittableRandom(seed), Shape.of(dims), positive);
  }

  private static Map<String, Tensor> run(Model model, Tensor x) {
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of("x", x.shape()), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(Map.of("x", x));
    }
  }

  private static void assertAlike(Model model, Model folded, Tensor x) {
    Map<String, Tensor> expected = run(model, x);
    Map<String, Tensor> got = run(folded, x);
    assertEquals(expected.keySet(), got.keySet());
    expected.forEach(
        (name, e) -> {
          double scale = 1e-3;
          for (float v : e.toFloats()) {
            scale = Math.max(scale, Math.abs(v));
          }
          for (long i = 0; i < e.size(); i++) {
            assertEquals(e.getFloat(i), got.get(name).getFloat(i), 1e-5 * scale, name);
          }
        });
  }

  private static long norms(Model model) {
    return model.graph().nodes().stream().filter(n -> n.is("BatchNormalization")).count();
  }

  /** Statistics and scales as after some training. */
  private static void unsettle(Model model) {
    model
        .graph()
        .initializers()
        .replaceAll(
            (name, t) -> {
              boolean norm = name.matches(".*bn.*\\.(scale|bias|mean|variance)");
              boolean positive = name.endsWith("variance");
              return norm ? random(name.hashCode(), positive, t.shape().dims()) : t;
            });
  }

  @Test
  void aResidualNetworkLosesAllItsNorms() {
    Model model = Convolutional.resnet(8, new Image(2, 12, 9), 3);
    unsettle(model);
    Mask mask = Mask.ones(Shape.of(16, 16, 3, 3));
    Tensor weight = model.graph().initializer("stage1.block1.conv1.weight").copy();
    for (long i = 0; i < mask.shape().size(); i += 3) {
      mask.set(i, false);
      weight.setFloat(i, 0);
    }
    model.graph().initializers().put("stage1.block1.conv1.weight", weight);
    model.masks().put("stage1.block1.conv1.weight", mask);
    assertEquals(9, norms(model));
    Model folded = BatchNormFolding.fold(model);
    assertEquals(0, norms(folded));
    assertEquals(9, norms(model), "the given model stays as it is");
    assertAlike(model, folded, random(7, false, 3, 2, 12, 9));
    assertTrue(
        folded.graph().initializers().keySet().stream().noneMatch(n -> n.endsWith(".variance")));
    Tensor after = folded.graph().initializer("stage1.block1.conv1.weight");
    assertEquals(mask, folded.masks().get("stage1.block1.conv1.weight"));
    for (long i = 0; i < mask.shape().size(); i++) {
      assertEquals(mask.kept(i), Float.floatToRawIntBits(after.getFloat(i)) != 0);
    }
  }

  private static Model linear(String op, boolean outFirst, boolean shown) {
    Graph graph = new Graph("g");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    graph.inputs().add(ValueInfo.of("x", DType.F32, batch, ValueInfo.Dim.of(5)));
    graph.initializers().put("w", outFirst ? random(1, false, 4, 5) : random(1, false, 5, 4));
    graph.initializers().put("b", random(2, false, 4));
    graph.initializers().put("scale", random(3, false, 4));
    graph.initializers().put("shift", random(4, false, 4));
    graph.initializers().put("mean", random(5, false, 4));
    graph.initializers().put("variance", random(6, true, 4));
    List<String> inputs = op.equals("Gemm") ? List.of("x", "w", "b") : List.of("x", "w");
    Map<String, Attribute> attributes =
        outFirst ? Map.of("transB", new Attribute.Int(1)) : Map.of();
    graph.nodes().add(Node.of("l", OpId.onnx(op), inputs, List.of("h"), attributes));
    graph
        .nodes()
        .add(
            Node.of(
                "n",
                "BatchNormalization",
                List.of("h", "scale", "shift", "mean", "variance"),
                List.of("y")));
    graph.outputs().add(ValueInfo.of("y", DType.F32));
    if (shown) {
      graph.outputs().add(ValueInfo.of("h", DType.F32));
    }
    return new Model(graph);
  }

  @Test
  void gemmFoldsHoweverItsWeightIsStored() {
    for (boolean outFirst : List.of(true, false)) {
      Model model = linear("Gemm", outFirst, false);
      Model folded = BatchNormFolding.fold(model);
      assertEquals(1, folded.graph().nodes().size());
      assertAlike(model, folded, random(8, false, 6, 5));
    }
  }

  @Test
  void aNormStaysWhereItCannotFold() {
    assertEquals(1, norms(BatchNormFolding.fold(linear("Gemm", true, true))));
    assertEquals(1, norms(BatchNormFolding.fold(linear("MatMul", false, false))));
    Model shared = linear("Gemm", true, false);
    shared.graph().nodes().add(Node.of("t", "Transpose", List.of("w"), List.of("wt")));
    shared.graph().outputs().add(ValueInfo.of("wt", DType.F32));
    assertEquals(1, norms(BatchNormFolding.fold(shared)));
  }
}
