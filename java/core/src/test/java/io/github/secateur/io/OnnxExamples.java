package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorAnnotation;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;

/** ONNX messages for tests. */
final class OnnxExamples {
  private OnnxExamples() {}

  private static UnknownFieldSet unknown(String text) {
    return UnknownFieldSet.newBuilder()
        .addField(
            4321,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFromUtf8(text))
                .build())
        .build();
  }

  static ValueInfoProto value(String name, int type) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setDocString("doc of " + name)
        .setUnknownFields(unknown("in value"))
        .setType(
            TypeProto.newBuilder()
                .setDenotation("IMAGE")
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(type)
                        .setShape(
                            TensorShapeProto.newBuilder()
                                .addDim(
                                    TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                                .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(3))
                                .addDim(TensorShapeProto.Dimension.newBuilder()))))
        .build();
  }

  static TensorProto floats(String name, float... values) {
    TensorProto.Builder t =
        TensorProto.newBuilder()
            .setName(name)
            .addDims(values.length)
            .setDataType(TensorProto.DataType.FLOAT_VALUE);
    t.setRawData(ByteString.copyFrom(NpyReaderTest.floats(values)));
    return t.build();
  }

  private static AttributeProto.Builder attribute(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }

  private static NodeProto node() {
    return NodeProto.newBuilder()
        .setName("n")
        .setOpType("Strange")
        .setDomain("com.example")
        .setOverload("o")
        .setDocString("doc")
        .addInput("x")
        .addInput("")
        .addInput("w")
        .addOutput("y")
        .setUnknownFields(unknown("in node"))
        .addMetadataProps(StringStringEntryProto.newBuilder().setKey("k").setValue("v"))
        .addAttribute(attribute("i", AttributeProto.AttributeType.INT).setI(-5).setDocString("d"))
        .addAttribute(attribute("f", AttributeProto.AttributeType.FLOAT).setF(2.5f))
        .addAttribute(
            attribute("s", AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8("größe")))
        .addAttribute(
            attribute("bytes", AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFrom(new byte[] {(byte) 0xff, (byte) 0xfe})))
        .addAttribute(attribute("is", AttributeProto.AttributeType.INTS).addInts(1).addInts(2))
        .addAttribute(attribute("none", AttributeProto.AttributeType.INTS))
        .addAttribute(attribute("fs", AttributeProto.AttributeType.FLOATS).addFloats(1.5f))
        .addAttribute(
            attribute("ss", AttributeProto.AttributeType.STRINGS)
                .addStrings(ByteString.copyFromUtf8("a")))
        .addAttribute(
            attribute("t", AttributeProto.AttributeType.TENSOR)
                .setT(
                    floats("inner", 1, 2).toBuilder()
                        .setDocString("doc of a tensor")
                        .setUnknownFields(unknown("in tensor"))))
        .addAttribute(
            attribute("strings", AttributeProto.AttributeType.TENSOR).setT(strings("texts")))
        .addAttribute(
            attribute("g", AttributeProto.AttributeType.GRAPH)
                .setG(
                    GraphProto.newBuilder()
                        .setName("sub")
                        .setDocString("a subgraph")
                        .addInitializer(floats("deep", 3))
                        .addNode(
                            NodeProto.newBuilder()
                                .setOpType("Identity")
                                .addInput("deep")
                                .addOutput("z"))
                        .addOutput(ValueInfoProto.newBuilder().setName("z"))))
        .addAttribute(
            attribute("gs", AttributeProto.AttributeType.GRAPHS)
                .addGraphs(GraphProto.newBuilder().setName("a")))
        .addAttribute(
            attribute("tp", AttributeProto.AttributeType.TYPE_PROTO).setTp(value("q", 1).getType()))
        .addAttribute(
            attribute("ref", AttributeProto.AttributeType.INT).setRefAttrName("of_function"))
        .build();
  }

  static TensorProto strings(String name) {
    return TensorProto.newBuilder()
        .setName(name)
        .addDims(1)
        .setDataType(TensorProto.DataType.STRING_VALUE)
        .addStringData(ByteString.copyFromUtf8("text"))
        .build();
  }

  private static TensorProto raw(String name, int type, int count, int bytes) {
    return TensorProto.newBuilder()
        .setName(name)
        .addDims(count)
        .setDataType(type)
        .setRawData(ByteString.copyFrom(new byte[bytes]))
        .build();
  }

  /** A model with something in every corner that the format has. */
  static ModelProto everything() {
    SparseTensorProto sparse =
        SparseTensorProto.newBuilder()
            .addDims(2)
            .addDims(3)
            .setValues(floats("sparse", 1, -2))
            .setIndices(
                TensorProto.newBuilder()
                    .setDataType(TensorProto.DataType.INT64_VALUE)
                    .addDims(2)
                    .addDims(2)
                    .setRawData(
                        ByteString.copyFrom(
                            new byte[] {
                              0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, //
                              1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0
                            })))
            .build();
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("main")
            .setDocString("the graph")
            .setUnknownFields(unknown("in graph"))
            .addInput(value("x", 1))
            .addInput(value("text", TensorProto.DataType.STRING_VALUE))
            .addInput(
                ValueInfoProto.newBuilder()
                    .setName("sequence")
                    .setType(
                        TypeProto.newBuilder()
                            .setSequenceType(
                                TypeProto.Sequence.newBuilder()
                                    .setElemType(value("e", 1).getType()))))
            .addOutput(ValueInfoProto.newBuilder().setName("y"))
            .addValueInfo(value("inner", 11))
            .addInitializer(strings("names"))
            .addInitializer(floats("w", 1, 2, 3).toBuilder().setDocString("weights"))
            .addInitializer(raw("int4", TensorProto.DataType.INT4_VALUE, 4, 2))
            .addInitializer(raw("float8", TensorProto.DataType.FLOAT8E5M2_VALUE, 3, 3))
            .addInitializer(raw("future", 999, 3, 3))
            .addInitializer(raw("half", TensorProto.DataType.FLOAT16_VALUE, 3, 6))
            .addInitializer(raw("empty", TensorProto.DataType.INT64_VALUE, 0, 0))
            .addSparseInitializer(sparse)
            .addNode(node())
            .addQuantizationAnnotation(
                TensorAnnotation.newBuilder()
                    .setTensorName("w")
                    .addQuantParameterTensorNames(
                        StringStringEntryProto.newBuilder()
                            .setKey("SCALE_TENSOR")
                            .setValue("half")))
            .addMetadataProps(StringStringEntryProto.newBuilder().setKey("g").setValue("1"))
            .build();
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .setProducerName("somebody")
        .setProducerVersion("1.2")
        .setDomain("com.example")
        .setModelVersion(77)
        .setDocString("a model")
        .setGraph(graph)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("com.example").setVersion(3))
        .addMetadataProps(StringStringEntryProto.newBuilder().setKey("author").setValue("me"))
        .addFunctions(
            FunctionProto.newBuilder().setName("f").setDomain("com.example").addNode(node()))
        .setUnknownFields(unknown("in model"))
        .build();
  }
}
