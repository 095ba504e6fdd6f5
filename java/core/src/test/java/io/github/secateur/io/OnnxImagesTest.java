package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.exec.Executable;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.BatchNormFolding;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.Ops;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.nn.Networks;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators of convolutional networks, and whole networks, as ONNX Runtime computes them. */
class OnnxImagesTest {
  @TempDir private Path folder;

  /**
   * One node behind an input x.
   *
   * @param x shape of the input
   * @param constants further inputs
   */
  record Case(
      String op, long opset, Shape x, List<Tensor> constants, Map<String, Attribute> attributes) {
    Case with(String attribute, Object value) {
      Map<String, Attribute> more = new LinkedHashMap<>(attributes);
      more.put(
          attribute,
          switch (value) {
            case Integer i -> new Attribute.Int(i);
            case Float f -> new Attribute.Real(f);
            case String s -> new Attribute.Text(s);
            default -> new Attribute.Ints(LongStream.of((long[]) value).boxed().toList());
          });
      return new Case(op, opset, x, constants, more);
    }

    @Override
    public String toString() {
      return op + "-" + opset + x + constants + attributes;
    }
  }

  private static Tensor random(long seed, long... dims) {
    Tensor t = Tensor.zeros(DType.F32, Shape.of(dims));
    Random random = new Random(seed);
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }

  private static Case of(String op, long opset, Shape x, Tensor... constants) {
    return new Case(op, opset, x, List.of(constants), Map.of());
  }

  private static long[] v(long... values) {
    return values;
  }

  private static Tensor longs(long... values) {
    return Tensor.ofLongs(Shape.of(values.length), values);
  }

  static Stream<Case> cases() {
    Shape image = Shape.of(2, 4, 9, 7);
    List<Case> cases = new ArrayList<>();
    for (String auto : List.of("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")) {
      Case conv = of("Conv", 17, image, random(1, 6, 4, 3, 2), random(2, 6));
      cases.add(conv.with("auto_pad", auto).with("strides", v(2, 3)));
      cases.add(conv.with("auto_pad", auto));
      for (String op : List.of("MaxPool", "AveragePool")) {
        Case pool = of(op, 17, image).with("kernel_shape", v(3, 2)).with("auto_pad", auto);
        cases.add(pool.with("strides", v(2, 2)));
        cases.add(pool.with("strides", v(3, 3)));
      }
    }
    cases.add(
        of("Conv", 7, image, random(1, 6, 2, 3, 3))
            .with("group", 2)
            .with("pads", v(1, 2, 0, 1))
            .with("dilations", v(2, 1)));
    cases.add(
        of("Conv", 11, Shape.of(2, 3, 20), random(1, 4, 3, 5), random(2, 4))
            .with("strides", v(2))
            .with("pads", v(3, 1)));
    for (long[] strides : new long[][] {{2, 2}, {3, 2}, {4, 5}}) {
      for (String op : List.of("MaxPool", "AveragePool")) {
        Case pool =
            of(op, 10, image)
                .with("kernel_shape", v(3, 3))
                .with("strides", strides)
                .with("ceil_mode", 1);
        cases.add(pool);
        cases.add(pool.with("pads", v(1, 1, 1, 1)));
        cases.add(pool.with("pads", v(0, 1, 2, 0)));
      }
      Case counted =
          of("AveragePool", 19, image)
              .with("kernel_shape", v(3, 3))
              .with("strides", strides)
              .with("count_include_pad", 1)
              .with("pads", v(1, 1, 1, 1));
      cases.add(counted);
      cases.add(counted.with("ceil_mode", 1));
    }
    cases.add(
        of("AveragePool", 19, image).with("kernel_shape", v(2, 2)).with("dilations", v(2, 3)));
    cases.add(of("MaxPool", 12, image).with("kernel_shape", v(2, 2)).with("dilations", v(3, 2)));
    cases.add(of("GlobalAveragePool", 7, image));
    cases.add(of("GlobalMaxPool", 7, image));
    Tensor[] norm = {
      random(1, 4), random(2, 4), random(3, 4), Tensor.of(Shape.of(4), 0.5f, 1, 2, 3)
    };
    cases.add(of("BatchNormalization", 9, image, norm).with("epsilon", 1e-3f));
    cases.add(of("BatchNormalization", 15, Shape.of(5, 4), norm));
    cases.add(of("Concat", 13, image, random(1, 2, 3, 9, 7)).with("axis", 1));
    cases.add(of("Concat", 4, image, random(1, 2, 4, 9, 1)).with("axis", 3));
    cases.add(of("Pad", 11, image, longs(0, 0, 1, 2, 0, 0, 0, 3), Tensor.of(Shape.of(), 2f)));
    cases.add(of("Pad", 2, image).with("pads", v(0, 0, 1, 0, 0, 0, 2, -1)).with("value", 0.5f));
    cases.add(of("Pad", 18, image, longs(1, 2), Tensor.of(Shape.of(), 0f), longs(-1)));
    cases.add(of("Clip", 6, image).with("min", -0.5f).with("max", 0.25f));
    cases.add(of("Clip", 13, image, Tensor.of(Shape.of(), 0f), Tensor.of(Shape.of(), 6f)));
    cases.add(of("Clip", 13, image, Tensor.of(Shape.of(), 0f)));
    cases.add(of("Slice", 13, image, longs(1, -5), longs(3, 100), longs(1, 2)));
    cases.add(of("Slice", 1, image).with("starts", v(0, 1)).with("ends", v(1, -1)));
    cases.add(of("ReduceMean", 13, image).with("axes", v(2, 3)));
    cases.add(of("ReduceMean", 18, image, longs(-1, -2)).with("keepdims", 0));
    cases.add(of("ReduceSum", 13, image, longs(1)));
    cases.add(of("Sum", 8, image, random(1, 4, 9, 7), random(2, 1)));
    return cases.stream();
  }

  private static Model model(Case c) {
    Graph graph = new Graph("g");
    graph
        .inputs()
        .add(
            ValueInfo.of(
                "x",
                DType.F32,
                LongStream.of(c.x.dims())
                    .mapToObj(ValueInfo.Dim::of)
                    .toArray(ValueInfo.Dim[]::new)));
    List<String> inputs = new ArrayList<>(List.of("x"));
    for (Tensor constant : c.constants) {
      inputs.add("constant" + inputs.size());
      graph.initializers().put(inputs.getLast(), constant);
    }
    graph.nodes().add(Node.of("n", OpId.onnx(c.op), inputs, List.of("y"), c.attributes));
    graph.outputs().add(new ValueInfo("y", DType.F32, null, new byte[0]));
    Model model = new Model(graph);
    model.opsets().put("", c.opset);
    return model;
  }

  private static Map<String, Tensor> ours(Model model, Map<String, Tensor> inputs) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    inputs.forEach((name, t) -> shapes.put(name, t.shape()));
    try (Device device = Devices.open("cpu", new DeviceOptions(2));
        Parameters parameters = Parameters.upload(device, model.graph());
        Executable executable =
            Executable.compile(model, shapes, parameters, Executable.Mode.INFERENCE)) {
      return executable.run(inputs);
    }
  }

  private Map<String, Tensor> theirs(Model model, Map<String, Tensor> inputs) throws Exception {
    Path file = folder.resolve("m.onnx");
    OnnxWriter.write(model, file);
    return OnnxRuntimeCheck.run(file, inputs);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anOperatorComputesWhatOnnxRuntimeDoes(Case c) throws Exception {
    Model model = model(c);
    Map<String, Tensor> inputs = Map.of("x", random(9, c.x.dims()));
    OnnxRuntimeCheck.assertClose(theirs(model, inputs), ours(model, inputs), 1e-5);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"lenet-5-caffe", "resnet-8", "resnet-20:3x32x32", "cnn:3x9x8:c4k5s2b-c6k2-m-20-7"})
  void aNetworkComputesWhatOnnxRuntimeDoes(String name) throws Exception {
    Model model = Networks.parse(name, 5);
    Shape shape = model.graph().requiredInputs().getFirst().shape(3);
    Map<String, Tensor> inputs = Map.of("x", random(9, shape.dims()));
    Map<String, Tensor> ours = ours(model, inputs);
    OnnxRuntimeCheck.assertClose(theirs(model, inputs), ours, 1e-5);
    Model folded = BatchNormFolding.fold(model);
    OnnxRuntimeCheck.assertClose(theirs(folded, inputs), ours, 1e-5);
  }

  @Test
  void aPublicNetworkComputesWhatOnnxRuntimeDoes() throws Exception {
    Path file = TestModels.blazeFace();
    Model model = OnnxReader.read(file);
    List<String> missing =
        model.graph().nodes().stream()
            .filter(n -> Ops.find(n).isEmpty())
            .map(Node::opType)
            .distinct()
            .toList();
    assertEquals(List.of(), missing, "operators that are not executed");
    ValueInfo input = model.graph().requiredInputs().getFirst();
    Map<String, Tensor> inputs = Map.of(input.name(), random(5, input.shape(1).dims()));
    OnnxRuntimeCheck.assertClose(OnnxRuntimeCheck.run(file, inputs), ours(model, inputs), 1e-4);
  }
}
