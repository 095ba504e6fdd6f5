package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads ONNX models without loss: what the graph does not model is kept, serialized, in the {@code
 * unmodelled} rest of the message it stood in, and {@link OnnxWriter} merges it back.
 *
 * <p>A rest holds stubs of the tensors and attributes that were taken out of it (name, type and
 * what else they carry, without elements), so that order and documentation survive. Initializers of
 * types that Tensor does not hold stay whole in the rest; sparse ones become dense tensors and are
 * written sparse again.
 *
 * <p>The file is mapped and parsed without copying; each tensor is copied once, into aligned
 * memory, so that the model no longer depends on the file.
 */
public final class OnnxReader {
  private final Path file;

  private OnnxReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a model.
   *
   * @throws FormatException when it is no ONNX model or is damaged
   */
  public static Model read(Path file) throws IOException {
    ModelProto proto;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw new FormatException(
            file.toString(),
            -1,
            "an ONNX model of at most 2 GB (save its weights as external data)",
            channel.size() + " bytes");
      }
      proto = parse(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
    } catch (InvalidProtocolBufferException e) {
      throw new FormatException(
          file.toString(), -1, "an ONNX model", "damaged protobuf (" + e.getMessage() + ")", e);
    }
    return of(proto, file);
  }

  /**
   * Reads a model from the bytes of a file.
   *
   * @param name what messages call it
   * @throws FormatException when it is no ONNX model or is damaged
   */
  public static Model read(ByteBuffer bytes, String name) throws IOException {
    try {
      return of(parse(bytes), Path.of(name));
    } catch (InvalidProtocolBufferException e) {
      throw new FormatException(
          name, -1, "an ONNX model", "damaged protobuf (" + e.getMessage() + ")", e);
    }
  }

  private static Model of(ModelProto proto, Path file) throws IOException {
    if (!proto.hasIrVersion() || !proto.hasGraph()) {
      throw new FormatException(
          file.toString(),
          -1,
          "an ONNX model",
          "a file without " + (proto.hasIrVersion() ? "a graph" : "an IR version"));
    }
    return new OnnxReader(file).model(proto);
  }

  private static ModelProto parse(ByteBuffer mapped) throws IOException {
    CodedInputStream in = UnsafeByteOperations.unsafeWrap(mapped).newCodedInput();
    in.enableAliasing(true);
    ModelProto proto = ModelProto.parseFrom(in);
    in.checkLastTagWas(0);
    return proto;
  }

  private Model model(ModelProto proto) throws IOException {
    Model model = new Model(graph(proto.getGraph()));
    model.setIrVersion(proto.getIrVersion());
    model.opsets().clear();
    proto.getOpsetImportList().forEach(o -> model.opsets().put(o.getDomain(), o.getVersion()));
    proto.getMetadataPropsList().forEach(p -> model.metadata().put(p.getKey(), p.getValue()));
    model.setUnmodelled(proto.toBuilder().clearGraph().clearIrVersion().build().toByteArray());
    PrunedWeights.restoreMasks(model);
    return model;
  }

  private Graph graph(GraphProto proto) throws IOException {
    Graph graph = new Graph(proto.getName());
    GraphProto.Builder rest =
        proto.toBuilder()
            .clearInput()
            .clearOutput()
            .clearValueInfo()
            .clearNode()
            .clearInitializer()
            .clearSparseInitializer();
    if (!proto.getName().isEmpty()) {
      rest.clearName();
    }
    proto.getInputList().forEach(v -> graph.inputs().add(OnnxValues.decode(v)));
    proto.getOutputList().forEach(v -> graph.outputs().add(OnnxValues.decode(v)));
    proto.getValueInfoList().forEach(v -> graph.values().add(OnnxValues.decode(v)));
    for (TensorProto tensor : proto.getInitializerList()) {
      boolean modelled = OnnxTensors.isModelled(tensor);
      if (modelled) {
        put(graph, tensor.getName(), OnnxTensors.decode(tensor, file));
      }
      rest.addInitializer(modelled ? OnnxTensors.stub(tensor) : tensor);
    }
    for (SparseTensorProto sparse : proto.getSparseInitializerList()) {
      boolean modelled = OnnxSparse.isModelled(sparse);
      if (modelled) {
        put(graph, sparse.getValues().getName(), OnnxSparse.decode(sparse, file));
      }
      rest.addSparseInitializer(modelled ? OnnxSparse.stub(sparse) : sparse);
    }
    for (NodeProto node : proto.getNodeList()) {
      graph.nodes().add(node(node));
    }
    graph.setUnmodelled(rest.build().toByteArray());
    return graph;
  }

  private void put(Graph graph, String name, Tensor tensor) throws FormatException {
    if (graph.initializers().putIfAbsent(name, tensor) != null) {
      throw new FormatException(
          file.toString(), -1, "one initializer '" + name + "'", "two of that name");
    }
  }

  private Node node(NodeProto proto) throws IOException {
    NodeProto.Builder rest =
        proto.toBuilder().clearInput().clearOutput().clearOpType().clearAttribute();
    if (!proto.getName().isEmpty()) {
      rest.clearName();
    }
    if (!proto.getDomain().isEmpty()) {
      rest.clearDomain();
    }
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    for (AttributeProto attribute : proto.getAttributeList()) {
      Attribute value = attribute(attribute);
      if (attributes.putIfAbsent(attribute.getName(), value) != null) {
        throw new FormatException(
            file.toString(),
            -1,
            "one attribute '%s' of node '%s'".formatted(attribute.getName(), proto.getName()),
            "two of that name");
      }
      if (!(value instanceof Attribute.Opaque)) {
        OnnxAttributes.stub(attribute).ifPresent(rest::addAttribute);
      }
    }
    return new Node(
        proto.getName(),
        proto.getDomain(),
        proto.getOpType(),
        proto.getInputList(),
        proto.getOutputList(),
        attributes,
        rest.build().toByteArray());
  }

  private Attribute attribute(AttributeProto proto) throws IOException {
    return switch (OnnxAttributes.kind(proto)) {
      case INT -> new Attribute.Int(proto.getI());
      case FLOAT -> new Attribute.Real(proto.getF());
      case STRING -> new Attribute.Text(proto.getS().toStringUtf8());
      case INTS -> new Attribute.Ints(proto.getIntsList());
      case FLOATS -> new Attribute.Reals(proto.getFloatsList());
      case STRINGS ->
          new Attribute.Texts(proto.getStringsList().stream().map(s -> s.toStringUtf8()).toList());
      case TENSOR -> new Attribute.Data(OnnxTensors.decode(proto.getT(), file));
      case GRAPH -> new Attribute.Subgraph(graph(proto.getG()));
      default -> new Attribute.Opaque(proto.toByteArray());
    };
  }
}
