package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxLosslessTest {
  @TempDir private Path folder;

  private Path save(ModelProto proto) throws IOException {
    return Files.write(folder.resolve("in.onnx"), proto.toByteArray());
  }

  private Model read(ModelProto proto) throws IOException {
    return OnnxReader.read(save(proto));
  }

  private ModelProto written(Model model, OnnxWriter.Options options) throws IOException {
    Path out = folder.resolve("out.onnx");
    OnnxWriter.write(model, out, options);
    return ModelProto.parseFrom(Files.readAllBytes(out));
  }

  private static ModelProto withInitializer(TensorProto.Builder tensor) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .setGraph(GraphProto.newBuilder().setName("g").addInitializer(tensor))
        .build();
  }

  @Test
  void everythingSurvives() throws IOException {
    ModelProto proto = OnnxExamples.everything();
    Model model = read(proto);
    assertEquals(proto, written(model, OnnxWriter.Options.defaults()));
    assertEquals(proto, written(model.copy(), OnnxWriter.Options.defaults()));
  }

  @Test
  void theGraphSeesWhatItModels() throws IOException {
    Model model = read(OnnxExamples.everything());
    Graph graph = model.graph();
    assertEquals(Map.of("", 17L, "com.example", 3L), model.opsets());
    assertEquals(Map.of("author", "me"), model.metadata());
    assertEquals(
        List.of("w", "half", "empty", "sparse"), List.copyOf(graph.initializers().keySet()));
    assertArrayEquals(new float[] {0, 1, 0, 0, 0, -2}, graph.initializer("sparse").toFloats());
    assertEquals(
        List.of(ValueInfo.Dim.symbol("batch"), ValueInfo.Dim.of(3), new ValueInfo.Dim(-1, "")),
        graph.inputs().getFirst().dims());
    Node node = graph.nodes().getFirst();
    assertEquals(-5, node.intAttribute("i", 0));
    assertEquals("größe", node.textAttribute("s", ""));
    assertInstanceOf(Attribute.Opaque.class, node.attributes().get("bytes"));
    assertInstanceOf(Attribute.Opaque.class, node.attributes().get("ref"));
    assertInstanceOf(Attribute.Opaque.class, node.attributes().get("strings"));
    Attribute.Data data = assertInstanceOf(Attribute.Data.class, node.attributes().get("t"));
    assertArrayEquals(new float[] {1, 2}, data.value().toFloats());
    Attribute.Subgraph sub = assertInstanceOf(Attribute.Subgraph.class, node.attributes().get("g"));
    assertEquals(3, sub.value().initializer("deep").getFloat(0));
  }

  @Test
  void changesComeOutAndTheRestStays() throws IOException {
    Model model = read(OnnxExamples.everything());
    Graph graph = model.graph();
    graph.initializers().put("w", Tensor.of(Shape.of(1, 2), 8, 9));
    graph.initializers().remove("half");
    graph.initializers().put("added", Tensor.ofLongs(Shape.of(1), 4));
    Node node = graph.nodes().getFirst();
    graph.replace(
        node,
        node.with("i", new Attribute.Int(6))
            .with("t", new Attribute.Data(Tensor.ofInts(Shape.of(1), 3)))
            .with("f", new Attribute.Text("now text")));
    graph.inputs().set(0, ValueInfo.of("x", DType.F32, ValueInfo.Dim.of(7)));
    model.metadata().put("more", "yes");
    ModelProto proto = written(model, OnnxWriter.Options.defaults());
    TensorProto w = proto.getGraph().getInitializer(1);
    assertEquals("weights", w.getDocString());
    assertEquals(List.of(1L, 2L), w.getDimsList());
    assertEquals(
        List.of("names", "w", "int4", "float8", "future", "empty", "added"),
        proto.getGraph().getInitializerList().stream().map(TensorProto::getName).toList());
    assertEquals(6, proto.getGraph().getNode(0).getAttribute(0).getI());
    assertEquals("d", proto.getGraph().getNode(0).getAttribute(0).getDocString());
    assertEquals("now text", proto.getGraph().getNode(0).getAttribute(1).getS().toStringUtf8());
    assertEquals(
        7,
        proto.getGraph().getInput(0).getType().getTensorType().getShape().getDim(0).getDimValue());
    assertEquals(2, proto.getMetadataPropsCount());
    assertEquals("somebody", proto.getProducerName());
    assertEquals(
        3,
        written(read(proto), OnnxWriter.Options.defaults()).getGraph().getNode(0).getInputCount());
  }

  @Test
  void readsElementsFromTypedFields() throws IOException {
    for (DType dtype : DType.values()) {
      TensorProto.Builder t =
          TensorProto.newBuilder().setName("t").addDims(2).setDataType(OnnxTensors.code(dtype));
      switch (dtype) {
        case F32 -> t.addFloatData(1).addFloatData(2);
        case F64 -> t.addDoubleData(1).addDoubleData(2);
        case I64 -> t.addInt64Data(1).addInt64Data(2);
        case U32, U64 -> t.addUint64Data(1).addUint64Data(2);
        default -> t.addInt32Data(1).addInt32Data(2);
      }
      Model model = read(withInitializer(t));
      Tensor tensor = model.graph().initializer("t");
      assertEquals(dtype, tensor.dtype());
      Tensor again = read(written(model, OnnxWriter.Options.defaults())).graph().initializer("t");
      assertTrue(tensor.bitEquals(again));
      byte first = tensor.data().get(ValueLayout.JAVA_BYTE, 0);
      assertEquals(dtype == DType.F32 || dtype == DType.F64 ? 0 : 1, first, dtype.toString());
      if (dtype == DType.F32) {
        assertArrayEquals(new float[] {1, 2}, tensor.toFloats());
      }
    }
  }

  @Test
  void refusesTensorsThatContradictThemselves() {
    TensorProto.Builder t =
        TensorProto.newBuilder().setName("bad").setDataType(TensorProto.DataType.FLOAT_VALUE);
    List<TensorProto.Builder> bad =
        List.of(
            t.clone().addDims(2).addFloatData(1),
            t.clone().addDims(2),
            t.clone().addDims(-1),
            t.clone().addDims(1L << 40).addDims(1L << 40),
            t.clone().addDims(1L << 40).addDims(1L << 40).addDims(0),
            t.clone().addDims(1L << 30));
    for (TensorProto.Builder tensor : bad) {
      FormatException e = assertThrows(FormatException.class, () -> read(withInitializer(tensor)));
      assertTrue(e.getMessage().contains("'bad'"), e.getMessage());
    }
  }

  @Test
  void refusesWhatIsNoModel() throws IOException {
    for (String text : new String[] {"", "hello", "PK\3\4"}) {
      Path file = Files.writeString(folder.resolve("no.onnx"), text);
      FormatException e = assertThrows(FormatException.class, () -> OnnxReader.read(file));
      assertTrue(e.getMessage().contains("expected an ONNX model"), e.getMessage());
    }
  }

  @Test
  void writesAndReadsExternalData() throws IOException {
    Model model = new Model(new Graph("g"));
    Tensor large = Tensor.zeros(DType.F32, Shape.of(300));
    large.setFloat(299, 5);
    Tensor larger = Tensor.zeros(DType.F64, Shape.of(1, 500));
    model.graph().initializers().put("a", large);
    model.graph().initializers().put("small", Tensor.of(Shape.of(), 3));
    model.graph().initializers().put("b", larger);
    ModelProto proto = written(model, new OnnxWriter.Options(false, 100));
    assertEquals(
        2,
        proto.getGraph().getInitializerList().stream()
            .filter(t -> t.getDataLocation() == TensorProto.DataLocation.EXTERNAL)
            .count());
    assertEquals(1216 + 4000, Files.size(folder.resolve("out.onnx.data")));
    Model again = OnnxReader.read(folder.resolve("out.onnx"));
    model
        .graph()
        .initializers()
        .forEach((name, t) -> assertTrue(t.bitEquals(again.graph().initializer(name)), name));
    assertEquals(
        written(model, OnnxWriter.Options.defaults()),
        written(again, OnnxWriter.Options.defaults()).toBuilder()
            .setProducerName("secateur")
            .build());
  }

  @Test
  void refusesExternalDataOutsideTheFolder() throws IOException {
    Path inside = Files.createDirectory(folder.resolve("inside"));
    Path secret = Files.write(folder.resolve("secret"), new byte[8]);
    Files.createSymbolicLink(inside.resolve("link"), secret);
    for (String location :
        new String[] {
          "../secret", secret.toString(), "link", "", "x/../../secret", "missing", "a\0b", "."
        }) {
      TensorProto.Builder t =
          TensorProto.newBuilder()
              .setName("t")
              .addDims(2)
              .setDataType(TensorProto.DataType.FLOAT_VALUE)
              .setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(entry("location", location));
      Path file = Files.write(inside.resolve("m.onnx"), withInitializer(t).toByteArray());
      FormatException e =
          assertThrows(FormatException.class, () -> OnnxReader.read(file), location);
      assertTrue(e.getMessage().contains("in the model's own folder"), e.getMessage());
    }
  }

  @Test
  void refusesExternalDataPastTheEnd() throws IOException {
    Files.write(folder.resolve("d"), new byte[8]);
    for (String[] place :
        new String[][] {{"4", "8"}, {"0", "4"}, {"-1", "8"}, {"999999999999999999", "8"}}) {
      TensorProto.Builder t =
          TensorProto.newBuilder()
              .setName("t")
              .addDims(2)
              .setDataType(TensorProto.DataType.FLOAT_VALUE)
              .setDataLocation(TensorProto.DataLocation.EXTERNAL)
              .addExternalData(entry("location", "d"))
              .addExternalData(entry("offset", place[0]))
              .addExternalData(entry("length", place[1]));
      assertThrows(FormatException.class, () -> read(withInitializer(t)));
    }
  }

  @Test
  void writesSparseOnlyWhereItPays() throws IOException {
    Model model = new Model(new Graph("g"));
    Tensor sparse = Tensor.zeros(DType.F32, Shape.of(10, 10));
    sparse.setFloat(7, 1);
    sparse.setFloat(93, -0f);
    Tensor dense = Tensor.zeros(DType.F32, Shape.of(9));
    for (int i = 0; i < 3; i++) {
      dense.setFloat(i, 1);
    }
    model.graph().initializers().put("sparse", sparse);
    model.graph().initializers().put("dense", dense);
    ModelProto proto = written(model, OnnxWriter.Options.sparse());
    assertEquals(1, proto.getGraph().getSparseInitializerCount());
    assertEquals(List.of(2L), proto.getGraph().getSparseInitializer(0).getValues().getDimsList());
    assertEquals("dense", proto.getGraph().getInitializer(0).getName());
    Model again = read(proto);
    assertTrue(sparse.bitEquals(again.graph().initializer("sparse")));
    assertEquals(proto, written(again, OnnxWriter.Options.defaults()));
  }

  @Test
  void refusesToWriteAWeightThatItsMaskPrunes() {
    Model model = new Model(new Graph("g"));
    model.graph().initializers().put("w", Tensor.of(Shape.of(3), 1, 2, 3));
    Mask mask = Mask.ones(Shape.of(3));
    mask.set(1, false);
    model.masks().put("w", mask);
    Path out = folder.resolve("out.onnx");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> OnnxWriter.write(model, out));
    assertTrue(e.getMessage().contains("weight 1 of 'w'"), e.getMessage());
    assertFalse(Files.exists(out));
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
