package io.github.secateur.sparse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Evaluator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SparsifyTest {
  private static final Sparsify.Options QUICK =
      new Sparsify.Options(0.05, 0.3, 3, TuneCache.off(), false);

  @Test
  void convolutionsRunSparseByTheSameChoice() {
    Model model = pruned("lenet-5-caffe", 0.95);
    try (Device device = cpu()) {
      Sparsified s = Sparsify.apply(device, model, List.of(8L), QUICK).getFirst();
      assertEquals(
          List.of("conv1", "conv2", "fc1", "fc2"),
          s.choices().stream().map(SparseChoice::layer).toList());
      for (SparseChoice choice : s.choices()) {
        OpId op = s.model().graph().node(choice.layer()).orElseThrow().op();
        String kind = choice.layer().startsWith("conv") ? "Conv" : "Gemm";
        assertEquals(choice.chosen() ? OpId.own("Sparse" + kind) : OpId.onnx(kind), op);
      }
      Tensor x = random(Shape.of(8, 1, 28, 28), 0, 3);
      assertArrayEquals(
          logits(device, model, x), logits(device, Sparsify.everywhere(model, 0.3), x), 1e-4f);
    }
  }

  @Test
  void aLayerLeavesDenseOnlyForTheGainAskedForAndTheModelIsNeverSlower() {
    Model model = pruned("mlp:512-1024-1024-10", 0.98);
    try (Device device = cpu()) {
      for (Sparsified s : Sparsify.apply(device, model, List.of(1L, 64L), QUICK)) {
        assertEquals(
            List.of("fc1", "fc2", "fc3"), s.choices().stream().map(SparseChoice::layer).toList());
        boolean any = false;
        for (SparseChoice choice : s.choices()) {
          assertEquals(0.98, choice.sparsity(), 0.01);
          assertTrue(choice.bytes() > 0 && !choice.layout().isEmpty());
          assertTrue(!choice.chosen() || choice.sparseMicros() <= 0.95 * choice.denseMicros());
          any |= choice.chosen();
          OpId op = s.model().graph().node(choice.layer()).orElseThrow().op();
          assertEquals(choice.chosen() ? OpId.own("SparseGemm") : OpId.onnx("Gemm"), op);
        }
        assertTrue(s.sparse().median() <= s.dense().median() + s.dense().noise(), s.verdict());
        assertTrue(any || s.model() == model, s.verdict());
      }
    }
  }

  @Test
  void aDenseModelIsLeftAlone() {
    Model model = pruned("mlp:8-8-4", 0);
    try (Device device = cpu()) {
      Sparsified s = Sparsify.apply(device, model, List.of(4L), QUICK).getFirst();
      assertSame(model, s.model());
      assertTrue(s.choices().isEmpty());
      assertEquals(
          "no layer has zeros enough to be worth a sparse product; all run dense", s.verdict());
    }
  }

  /** Row by row to 1e-5 · |W||x|, for weights stored [out, in] and [in, out]. */
  @ParameterizedTest
  @ValueSource(longs = {1, 3, 64, 65})
  void theSparseProductIsTheDenseOne(long batch) {
    for (Node node : List.of(gemm(1), gemm(0), matMul())) {
      Model dense = single(node);
      Graph graph = dense.graph().copy();
      graph.replace(node, SparseForm.of(node, graph).orElseThrow());
      Model sparse = dense.withGraph(graph);
      sparse.opsets().put(Node.SECATEUR, 1L);
      Tensor x = random(Shape.of(batch, 40), 0, 3);
      float[] a = run(dense, x);
      float[] b = run(sparse, x);
      double[] bound = bound(node, graph, x);
      for (int i = 0; i < a.length; i++) {
        assertEquals(a[i], b[i], 1e-5 * bound[i] + 1e-12, node + " at " + i);
      }
    }
  }

  @Test
  void whatIsNoPlainProductStaysDense() {
    Model model = single(gemm(1));
    Graph graph = model.graph();
    assertTrue(SparseForm.of(gemm(1), graph).isPresent());
    assertTrue(SparseForm.of(gemm(1).with("alpha", new Attribute.Real(2)), graph).isEmpty());
    assertTrue(SparseForm.of(gemm(1).with("transA", new Attribute.Int(1)), graph).isEmpty());
    assertTrue(SparseForm.of(gemm(1).withInput(1, "x"), graph).isEmpty());
    graph.initializers().put("b", Tensor.of(Shape.of(1, 30), new float[30]));
    assertTrue(SparseForm.of(gemm(1), graph).isEmpty());
  }

  @Test
  void latencyNamesVariantsThreadsAndBlas() {
    Model model = pruned("mlp:32-16-4", 0.9);
    try (Device device = cpu()) {
      Map<String, Model> both = new LinkedHashMap<>();
      both.put("dense", model);
      both.put("same", model);
      Latency latency = Latency.measure(device, batch -> both, List.of(1L, 8L), 3);
      assertEquals(2, latency.rows().size());
      Latency.Row row = latency.rows().get(1);
      assertEquals(8, row.batch());
      assertEquals(List.of("dense", "same"), List.copyOf(row.variants().keySet()));
      row.variants().values().forEach(s -> assertTrue(s.low() > 0 && s.low() <= s.high()));
      assertTrue(latency.provenance().containsKey("threads"));
      assertTrue(latency.provenance().containsKey("blas-core"));
    }
  }

  @Test
  void everywhereReplacesWhatHasZerosEnough() {
    Model model = pruned("mlp:32-16-4", 0.9);
    Model sparse = Sparsify.everywhere(model, 0.7);
    assertTrue(
        sparse.graph().nodes().stream().filter(n -> n.opType().equals("SparseGemm")).count() >= 1);
    assertEquals(
        model.graph().nodes().size(), Sparsify.everywhere(model, 1).graph().nodes().size());
    assertTrue(
        Sparsify.everywhere(model, 1).graph().nodes().stream()
            .noneMatch(n -> n.opType().equals("SparseGemm")));
    Tensor x = Tensor.zeros(DType.F32, Shape.of(5, 32));
    for (int i = 0; i < x.size(); i++) {
      x.setFloat(i, (i * 37 % 101) / 101f);
    }
    try (Device device = cpu()) {
      float[] wanted = Evaluator.predict(device, model, x).toFloats();
      assertArrayEquals(wanted, Evaluator.predict(device, sparse, x).toFloats(), 1e-5f);
    }
  }

  @Test
  void simulatedDevicesAreNotTimed() {
    DeviceInfo info = new DeviceInfo("cuda", "Simulated", Map.of(DeviceInfo.SIMULATED, "true"));
    assertThrows(IllegalArgumentException.class, () -> Latency.refuseSimulated(info));
  }

  @Test
  void quartilesInterpolate() {
    Spread spread = Spread.of(new double[] {4, 1, 2, 3});
    assertEquals(new Spread(2.5, 1.75, 3.25, 4), spread);
    assertEquals(0.75, spread.noise());
  }

  private static Device cpu() {
    return Devices.open("cpu", DeviceOptions.defaults());
  }

  private static Model pruned(String network, double sparsity) {
    Model model = Networks.parse(network, 1);
    model
        .graph()
        .initializers()
        .replaceAll((name, t) -> name.endsWith(".weight") ? random(t.shape(), sparsity, 2) : t);
    return model;
  }

  private static Node gemm(int transB) {
    return Node.of(
        "fc",
        OpId.onnx("Gemm"),
        List.of("x", transB == 1 ? "w" : "wt", "b"),
        List.of("y"),
        Map.of("transB", new Attribute.Int(transB)));
  }

  private static Node matMul() {
    return Node.of("fc", OpId.onnx("MatMul"), List.of("x", "wt"), List.of("y"), Map.of());
  }

  private static Model single(Node node) {
    Graph graph = new Graph("one");
    ValueInfo.Dim batch = ValueInfo.Dim.symbol("batch");
    graph.inputs().add(ValueInfo.of("x", DType.F32, batch, ValueInfo.Dim.of(40)));
    graph.outputs().add(ValueInfo.of("y", DType.F32, batch, ValueInfo.Dim.of(30)));
    graph.initializers().put("w", random(Shape.of(30, 40), 0.8, 1));
    graph.initializers().put("wt", random(Shape.of(40, 30), 0.8, 1));
    graph.initializers().put("b", random(Shape.of(30), 0, 2));
    graph.nodes().add(node);
    return new Model(graph);
  }

  private static float[] run(Model model, Tensor x) {
    try (Device device = cpu();
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of("x", x.shape()), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(Map.of("x", x)).get("y").toFloats();
    }
  }

  private static float[] logits(Device device, Model model, Tensor x) {
    try (Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(
                model, Map.of("x", x.shape()), parameters, Executable.Mode.INFERENCE)) {
      return executable.run(Map.of("x", x)).get("logits").toFloats();
    }
  }

  /** |W||x| + |b|, in double, by output. */
  private static double[] bound(Node node, Graph graph, Tensor x) {
    boolean outFirst = node.input(1).equals("w");
    Tensor w = graph.initializer(node.input(1));
    long batch = x.shape().dim(0);
    double[] bound = new double[Math.toIntExact(batch * 30)];
    for (int r = 0; r < batch; r++) {
      for (int o = 0; o < 30; o++) {
        double sum = node.is("Gemm") ? Math.abs(graph.initializer("b").getFloat(o)) : 0;
        for (int i = 0; i < 40; i++) {
          sum +=
              Math.abs(
                  (double) w.getFloat(outFirst ? o * 40 + i : i * 30 + o)
                      * x.getFloat(r * 40L + i));
        }
        bound[r * 30 + o] = sum;
      }
    }
    return bound;
  }

  private static Tensor random(Shape shape, double sparsity, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor t = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < t.size(); i++) {
      float value = (float) random.nextGaussian();
      t.setFloat(i, random.nextDouble() < sparsity ? 0 : value);
    }
    return t;
  }
}
