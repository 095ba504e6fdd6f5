package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.github.secateur.device.Device;
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
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written runs in ONNX Runtime: dense, with zeros, sparse, external, and other's files. */
class OnnxRuntimeTest {
  @TempDir private Path folder;

  private static Tensor random(long seed, long... dims) {
    Tensor t = Tensor.zeros(DType.F32, Shape.of(dims));
    Random random = new Random(seed);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }

  /** A copy whose F32 initializers of rank 2 and more keep one weight in ten, with masks. */
  private static Model pruned(Model model) {
    Model copy = model.copy();
    Map<String, Tensor> initializers = copy.graph().initializers();
    for (String name : List.copyOf(initializers.keySet())) {
      Tensor weights = initializers.get(name);
      if (weights.dtype() == DType.F32 && weights.shape().rank() >= 2) {
        Tensor zeroed = weights.copy();
        Mask mask = Mask.ones(weights.shape());
        for (long i = 0; i < zeroed.size(); i++) {
          if (i % 10 != 3) {
            zeroed.setFloat(i, 0);
            mask.set(i, false);
          }
        }
        initializers.put(name, zeroed);
        copy.masks().put(name, mask);
      }
    }
    return copy;
  }

  private Map<String, Tensor> run(Model model, OnnxWriter.Options options, Tensor input)
      throws Exception {
    Path file = folder.resolve("m.onnx");
    OnnxWriter.write(model, file, options);
    String name = model.graph().requiredInputs().getFirst().name();
    return OnnxRuntimeCheck.run(file, Map.of(name, input));
  }

  private void runsEverywhereAlike(Model model, Tensor input, int sparseTensors) throws Exception {
    Map<String, Tensor> dense = run(model, OnnxWriter.Options.defaults(), input);
    OnnxRuntimeCheck.assertClose(dense, run(model, new OnnxWriter.Options(false, 0), input), 0);
    Model pruned = pruned(model);
    Map<String, Tensor> zeros = run(pruned, OnnxWriter.Options.defaults(), input);
    Map<String, Tensor> sparse = run(pruned, OnnxWriter.Options.sparse(), input);
    ModelProto written = ModelProto.parseFrom(Files.readAllBytes(folder.resolve("m.onnx")));
    assertEquals(sparseTensors, written.getGraph().getSparseInitializerCount());
    OnnxRuntimeCheck.assertClose(zeros, sparse, 1e-6);
    Model again = OnnxReader.read(folder.resolve("m.onnx"));
    OnnxRuntimeCheck.assertClose(zeros, run(again, OnnxWriter.Options.defaults(), input), 1e-6);
  }

  @Test
  void multilayerPerceptron() throws Exception {
    runsEverywhereAlike(Networks.parse("mlp:20-30-5", 3), random(1, 4, 20), 2);
  }

  @Test
  void ourExecutionAgrees() throws Exception {
    Model pruned = pruned(Networks.parse("mlp:20-30-5", 3));
    Tensor x = random(6, 4, 20);
    String name = pruned.graph().requiredInputs().getFirst().name();
    Map<String, Tensor> ours;
    try (Device device = Devices.open("cpu", new DeviceOptions(1));
        Parameters parameters = Parameters.upload(device, pruned.graph());
        Executable executable =
            Executable.compile(
                pruned, Map.of(name, x.shape()), parameters, Executable.Mode.INFERENCE)) {
      ours = executable.run(Map.of(name, x));
    }
    OnnxRuntimeCheck.assertClose(run(pruned, OnnxWriter.Options.sparse(), x), ours, 1e-5);
  }

  @Test
  void matMulAndConvTakeSparseWeights() throws Exception {
    Graph graph = new Graph("g");
    graph
        .inputs()
        .add(
            ValueInfo.of(
                "x",
                DType.F32,
                ValueInfo.Dim.symbol("batch"),
                ValueInfo.Dim.of(3),
                ValueInfo.Dim.of(8),
                ValueInfo.Dim.of(8)));
    graph
        .outputs()
        .add(ValueInfo.of("y", DType.F32, ValueInfo.Dim.symbol("batch"), ValueInfo.Dim.of(6)));
    graph.initializers().put("kernel", random(2, 4, 3, 3, 3));
    graph.initializers().put("matrix", random(3, 144, 6));
    graph
        .nodes()
        .addAll(
            List.of(
                Node.of(
                    "conv",
                    OpId.onnx("Conv"),
                    List.of("x", "kernel"),
                    List.of("c"),
                    Map.of("kernel_shape", new Attribute.Ints(List.of(3L, 3L)))),
                Node.of("relu", "Relu", List.of("c"), List.of("r")),
                Node.of("flat", "Flatten", List.of("r"), List.of("f")),
                Node.of("mat", "MatMul", List.of("f", "matrix"), List.of("y"))));
    runsEverywhereAlike(new Model(graph), random(4, 2, 3, 8, 8), 2);
  }

  @Test
  void theCnnRunsAfterPruningToSparse() throws Exception {
    Model model = OnnxReader.read(TestModels.blazeFace());
    ValueInfo input = model.graph().requiredInputs().getFirst();
    Tensor x = random(5, input.shape(1).dims());
    Map<String, Tensor> dense =
        OnnxRuntimeCheck.run(TestModels.blazeFace(), Map.of(input.name(), x));
    OnnxRuntimeCheck.assertClose(dense, run(model, OnnxWriter.Options.defaults(), x), 0);
    Model pruned = pruned(model);
    OnnxRuntimeCheck.assertClose(
        run(pruned, OnnxWriter.Options.defaults(), x),
        run(pruned, OnnxWriter.Options.sparse(), x),
        1e-4);
  }

  @Test
  void theTransformerRunsAlikeDenseAndPrunedSparse() throws Exception {
    Path original = TestModels.allMiniLm(folder);
    Model model = OnnxReader.read(original);
    Path copy = folder.resolve("copy.onnx");
    OnnxWriter.write(model, copy);
    OnnxRuntimeCheck.assertClose(embed(original), embed(copy), 0);
    Model pruned = pruned(model);
    OnnxWriter.write(pruned, copy);
    Path sparse = folder.resolve("sparse.onnx");
    OnnxWriter.write(pruned, sparse, OnnxWriter.Options.sparse());
    OnnxRuntimeCheck.assertClose(embed(copy), embed(sparse), 1e-5);
    System.out.printf(
        "all-MiniLM at 90 %%: dense %d bytes, sparse %d bytes%n",
        Files.size(copy), Files.size(sparse));
  }

  private static Map<String, Tensor> embed(Path file) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    long[] tokens = {101, 7592, 2088, 102};
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = environment.createSession(file.toString())) {
      for (String name : session.getInputNames()) {
        long[] values =
            switch (name) {
              case "input_ids" -> tokens;
              case "attention_mask" -> new long[] {1, 1, 1, 1};
              default -> new long[4];
            };
        inputs.put(
            name, OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[] {1, 4}));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        OnnxTensor value = (OnnxTensor) result.get(0);
        float[] floats = new float[value.getFloatBuffer().remaining()];
        value.getFloatBuffer().get(floats);
        return Map.of("embedding", Tensor.of(Shape.of(value.getInfo().getShape()), floats));
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }
}
