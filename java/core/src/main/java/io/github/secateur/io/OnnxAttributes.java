package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import java.util.Optional;

/** What of an ONNX AttributeProto is modelled, and what stays in a stub. */
final class OnnxAttributes {
  private OnnxAttributes() {}

  /** The type, or UNDEFINED when the attribute is to be kept whole. */
  static AttributeType kind(AttributeProto proto) {
    if (!proto.getRefAttrName().isEmpty()) {
      return AttributeType.UNDEFINED;
    }
    boolean modelled =
        switch (proto.getType()) {
          case INT, FLOAT, INTS, FLOATS, GRAPH -> true;
          case STRING -> proto.getS().isValidUtf8();
          case STRINGS -> proto.getStringsList().stream().allMatch(ByteString::isValidUtf8);
          case TENSOR -> OnnxTensors.isModelled(proto.getT());
          default -> false;
        };
    return modelled ? proto.getType() : AttributeType.UNDEFINED;
  }

  /** The attribute without its value, if anything but name and type is left then. */
  static Optional<AttributeProto> stub(AttributeProto proto) {
    AttributeProto.Builder builder = proto.toBuilder();
    AttributeProto.Builder plain =
        AttributeProto.newBuilder().setName(proto.getName()).setType(proto.getType());
    switch (proto.getType()) {
      case INT -> builder.clearI();
      case FLOAT -> builder.clearF();
      case STRING -> builder.clearS();
      case INTS -> builder.clearInts();
      case FLOATS -> builder.clearFloats();
      case STRINGS -> builder.clearStrings();
      case GRAPH -> builder.clearG();
      case TENSOR -> {
        builder.setT(OnnxTensors.stub(proto.getT()));
        plain.setT(TensorProto.newBuilder().setDataType(proto.getT().getDataType()));
      }
      default -> throw new IllegalArgumentException("no stub for " + proto.getType());
    }
    AttributeProto stub = builder.build();
    return stub.equals(plain.build()) ? Optional.empty() : Optional.of(stub);
  }
}
