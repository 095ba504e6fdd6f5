package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.tensor.DType;
import java.util.List;
import java.util.Objects;

/** ONNX ValueInfoProto to {@link ValueInfo} and back; what was not changed is written as read. */
final class OnnxValues {
  private OnnxValues() {}

  static ValueInfo decode(ValueInfoProto proto) {
    TypeProto.Tensor type = proto.getType().getTensorType();
    DType dtype = proto.getType().hasTensorType() ? OnnxTensors.dtype(type.getElemType()) : null;
    List<ValueInfo.Dim> dims =
        proto.getType().hasTensorType() && type.hasShape()
            ? type.getShape().getDimList().stream().map(OnnxValues::decode).toList()
            : null;
    return new ValueInfo(proto.getName(), dtype, dims, proto.toByteArray());
  }

  private static ValueInfo.Dim decode(TensorShapeProto.Dimension dim) {
    return switch (dim.getValueCase()) {
      case DIM_VALUE -> new ValueInfo.Dim(Math.max(-1, dim.getDimValue()), "");
      case DIM_PARAM -> new ValueInfo.Dim(-1, dim.getDimParam());
      case VALUE_NOT_SET -> new ValueInfo.Dim(-1, "");
    };
  }

  static ValueInfoProto encode(ValueInfo info) throws InvalidProtocolBufferException {
    ValueInfoProto original = ValueInfoProto.parseFrom(info.unmodelled());
    if (info.unmodelled().length > 0 && same(decode(original), info)) {
      return original;
    }
    ValueInfoProto.Builder builder = original.toBuilder().setName(info.name());
    if (info.dtype() != null) {
      TypeProto.Tensor.Builder type = builder.getTypeBuilder().getTensorTypeBuilder();
      type.setElemType(OnnxTensors.code(info.dtype())).clearShape();
      if (info.dims() != null) {
        info.dims().forEach(dim -> type.getShapeBuilder().addDim(encode(dim)));
        type.getShapeBuilder();
      }
    }
    return builder.build();
  }

  private static TensorShapeProto.Dimension encode(ValueInfo.Dim dim) {
    TensorShapeProto.Dimension.Builder builder = TensorShapeProto.Dimension.newBuilder();
    if (dim.size() >= 0) {
      builder.setDimValue(dim.size());
    } else if (!dim.symbol().isEmpty()) {
      builder.setDimParam(dim.symbol());
    }
    return builder.build();
  }

  private static boolean same(ValueInfo a, ValueInfo b) {
    return a.name().equals(b.name())
        && a.dtype() == b.dtype()
        && Objects.equals(a.dims(), b.dims());
  }
}
