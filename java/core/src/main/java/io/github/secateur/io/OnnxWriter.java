package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes ONNX models, with all that {@link OnnxReader} kept. What was read and not changed comes
 * out as the same message, but for these equivalents: elements stand in {@code raw_data}; elements
 * that lay in another file are inside, or in one file {@code <name>.data} beside the model when
 * there are too many for protobuf; defaults that a file left out are spelled out; zeros that a
 * sparse tensor listed are left out.
 */
public final class OnnxWriter {
  private static final long EXTERNAL_FROM_BYTES = 1024;
  private static final int BUFFER = 1 << 20;

  /**
   * How to write.
   *
   * @param sparseInitializers write initializers as SparseTensorProto (COO, flat I64 indices) where
   *     that takes fewer bytes: more than two thirds zeros in F32
   * @param inlineLimit bytes of tensors above which they go to {@code <name>.data}; at most 2·10⁹
   */
  public record Options(boolean sparseInitializers, long inlineLimit) {
    private static final long MOST_INLINE = 2_000_000_000L;

    /** Everything dense, in one file if at all possible. */
    public static Options defaults() {
      return new Options(false, MOST_INLINE);
    }

    /** Sparse where that is smaller. */
    public static Options sparse() {
      return new Options(true, MOST_INLINE);
    }

    /** Checks the limit. */
    public Options {
      if (inlineLimit < 0 || inlineLimit > MOST_INLINE) {
        throw new IllegalArgumentException(
            "protobuf holds at most 2 GB: the inline limit should be 0 .. %d, got %d"
                .formatted(MOST_INLINE, inlineLimit));
      }
    }
  }

  private final Options options;
  private final OnnxExternalData external;

  private OnnxWriter(Options options, OnnxExternalData external) {
    this.options = options;
    this.external = external;
  }

  /** Writes a model dense. */
  public static void write(Model model, Path file) throws IOException {
    write(model, file, Options.defaults());
  }

  /**
   * Writes a model. Each file is written whole or not at all; the data file comes first.
   *
   * @throws IllegalArgumentException when a weight that its mask prunes is not 0
   * @throws IOException one sentence saying why it could not be written
   */
  public static void write(Model model, Path file, Options options) throws IOException {
    PrunedWeights.requireZero(model);
    boolean inline = tensorBytes(model.graph()) <= options.inlineLimit;
    String dataName = file.toAbsolutePath().getFileName() + ".data";
    OnnxExternalData external = inline ? null : new OnnxExternalData(dataName);
    ModelProto proto = new OnnxWriter(options, external).model(model);
    if (external != null && !external.isEmpty()) {
      AtomicFile.write(file.resolveSibling(dataName), external::writeTo);
    }
    AtomicFile.write(
        file,
        channel -> {
          CodedOutputStream out =
              CodedOutputStream.newInstance(
                  java.nio.channels.Channels.newOutputStream(channel), BUFFER);
          proto.writeTo(out);
          out.flush();
        });
  }

  /**
   * A model as the bytes of one dense file.
   *
   * @throws IllegalArgumentException when a weight that its mask prunes is not 0
   */
  public static byte[] toBytes(Model model) throws IOException {
    PrunedWeights.requireZero(model);
    return new OnnxWriter(Options.defaults(), null).model(model).toByteArray();
  }

  private static long tensorBytes(Graph graph) {
    long bytes = 0;
    for (Tensor tensor : graph.initializers().values()) {
      bytes += tensor.byteSize();
    }
    for (Node node : graph.nodes()) {
      for (Attribute attribute : node.attributes().values()) {
        bytes +=
            switch (attribute) {
              case Attribute.Data d -> d.value().byteSize();
              case Attribute.Subgraph s -> tensorBytes(s.value());
              default -> 0;
            };
      }
    }
    return bytes;
  }

  private ModelProto model(Model model) throws IOException {
    ModelProto rest = ModelProto.parseFrom(model.unmodelled());
    ModelProto.Builder builder = rest.toBuilder();
    builder.setIrVersion(model.irVersion()).setGraph(graph(model.graph()));
    if (model.unmodelled().length == 0) {
      builder.setProducerName("secateur");
    }
    Map<String, Long> opsets = new LinkedHashMap<>();
    rest.getOpsetImportList().forEach(o -> opsets.put(o.getDomain(), o.getVersion()));
    if (!opsets.equals(model.opsets())) {
      builder.clearOpsetImport();
      model
          .opsets()
          .forEach(
              (domain, version) ->
                  builder.addOpsetImport(
                      OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version)));
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    rest.getMetadataPropsList().forEach(p -> metadata.put(p.getKey(), p.getValue()));
    Map<String, String> wanted = PrunedWeights.metadata(model);
    if (!metadata.equals(wanted)) {
      builder.clearMetadataProps();
      wanted.forEach(
          (key, value) ->
              builder.addMetadataProps(
                  StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    }
    return builder.build();
  }

  private GraphProto graph(Graph graph) throws IOException {
    GraphProto rest = GraphProto.parseFrom(graph.unmodelled());
    GraphProto.Builder builder = rest.toBuilder().clearInitializer().clearSparseInitializer();
    if (!graph.name().isEmpty()) {
      builder.setName(graph.name());
    }
    for (ValueInfo value : graph.inputs()) {
      builder.addInput(OnnxValues.encode(value));
    }
    for (ValueInfo value : graph.outputs()) {
      builder.addOutput(OnnxValues.encode(value));
    }
    for (ValueInfo value : graph.values()) {
      builder.addValueInfo(OnnxValues.encode(value));
    }
    addInitializers(graph, rest, builder);
    for (Node node : graph.nodes()) {
      builder.addNode(node(node));
    }
    return builder.build();
  }

  /** Those that were read, in their order, each on its stub; then those that are new. */
  private void addInitializers(Graph graph, GraphProto rest, GraphProto.Builder builder) {
    Map<String, Tensor> left = new LinkedHashMap<>(graph.initializers());
    for (SparseTensorProto stub : rest.getSparseInitializerList()) {
      Tensor tensor = left.remove(stub.getValues().getName());
      if (tensor != null) {
        builder.addSparseInitializer(OnnxSparse.encode(stub, tensor));
      } else if (!OnnxSparse.isModelled(stub)) {
        builder.addSparseInitializer(stub);
      }
    }
    for (TensorProto stub : rest.getInitializerList()) {
      Tensor tensor = left.remove(stub.getName());
      if (tensor != null) {
        addInitializer(graph, stub, tensor, builder);
      } else if (!OnnxTensors.isModelled(stub)) {
        builder.addInitializer(stub);
      }
    }
    left.forEach(
        (name, tensor) ->
            addInitializer(graph, TensorProto.newBuilder().setName(name).build(), tensor, builder));
  }

  private void addInitializer(
      Graph graph, TensorProto stub, Tensor tensor, GraphProto.Builder builder) {
    boolean isInput = graph.inputs().stream().anyMatch(i -> i.name().equals(stub.getName()));
    if (options.sparseInitializers && !isInput && OnnxSparse.pays(tensor)) {
      builder.addSparseInitializer(OnnxSparse.encode(OnnxSparse.stub(stub), tensor));
    } else if (external != null && tensor.byteSize() >= EXTERNAL_FROM_BYTES) {
      TensorProto.Builder proto = OnnxTensors.declare(stub, tensor);
      external.add(proto, tensor);
      builder.addInitializer(proto);
    } else {
      builder.addInitializer(OnnxTensors.fill(stub, tensor));
    }
  }

  private NodeProto node(Node node) throws IOException {
    NodeProto rest = NodeProto.parseFrom(node.unmodelled());
    Map<String, AttributeProto> stubs = new HashMap<>();
    rest.getAttributeList().forEach(a -> stubs.put(a.getName(), a));
    NodeProto.Builder builder = rest.toBuilder().clearAttribute();
    builder.setOpType(node.opType()).addAllInput(node.inputs()).addAllOutput(node.outputs());
    if (!node.name().isEmpty()) {
      builder.setName(node.name());
    }
    if (!node.domain().isEmpty()) {
      builder.setDomain(node.domain());
    }
    for (Map.Entry<String, Attribute> entry : node.attributes().entrySet()) {
      builder.addAttribute(attribute(entry.getKey(), entry.getValue(), stubs));
    }
    return builder.build();
  }

  private AttributeProto attribute(String name, Attribute value, Map<String, AttributeProto> stubs)
      throws IOException {
    return switch (value) {
      case Attribute.Int a -> start(name, AttributeType.INT, stubs).setI(a.value()).build();
      case Attribute.Real a -> start(name, AttributeType.FLOAT, stubs).setF(a.value()).build();
      case Attribute.Text a ->
          start(name, AttributeType.STRING, stubs).setS(ByteString.copyFromUtf8(a.value())).build();
      case Attribute.Ints a ->
          start(name, AttributeType.INTS, stubs).addAllInts(a.values()).build();
      case Attribute.Reals a ->
          start(name, AttributeType.FLOATS, stubs).addAllFloats(a.values()).build();
      case Attribute.Texts a ->
          start(name, AttributeType.STRINGS, stubs)
              .addAllStrings(a.values().stream().map(ByteString::copyFromUtf8).toList())
              .build();
      case Attribute.Data a -> {
        AttributeProto.Builder builder = start(name, AttributeType.TENSOR, stubs);
        yield builder.setT(OnnxTensors.fill(builder.getT(), a.value())).build();
      }
      case Attribute.Subgraph a ->
          start(name, AttributeType.GRAPH, stubs).setG(graph(a.value())).build();
      case Attribute.Opaque a -> AttributeProto.parseFrom(a.serialized());
    };
  }

  private static AttributeProto.Builder start(
      String name, AttributeType type, Map<String, AttributeProto> stubs) {
    AttributeProto stub = stubs.get(name);
    return stub != null && stub.getType() == type
        ? stub.toBuilder()
        : AttributeProto.newBuilder().setName(name).setType(type);
  }
}
