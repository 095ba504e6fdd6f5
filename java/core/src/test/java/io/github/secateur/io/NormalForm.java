package io.github.secateur.io;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Puts the elements of all tensors of a model into raw_data, so that equal models compare equal.
 */
final class NormalForm {
  private NormalForm() {}

  static ModelProto of(ModelProto model) {
    ModelProto.Builder b = model.toBuilder();
    graph(b.getGraphBuilder());
    return b.build();
  }

  private static void graph(GraphProto.Builder graph) {
    graph.getInitializerBuilderList().forEach(NormalForm::tensor);
    for (NodeProto.Builder node : graph.getNodeBuilderList()) {
      for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
        if (attribute.hasT()) {
          tensor(attribute.getTBuilder());
        }
        if (attribute.hasG()) {
          graph(attribute.getGBuilder());
        }
      }
    }
  }

  private static void tensor(TensorProto.Builder t) {
    int count = t.getFloatDataCount() + t.getInt64DataCount();
    ByteBuffer raw = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
    t.getFloatDataList().forEach(raw::putFloat);
    t.getInt64DataList().forEach(raw::putLong);
    if (count > 0) {
      t.setRawData(ByteString.copyFrom(raw.flip())).clearFloatData().clearInt64Data();
    } else if (t.getStringDataCount() == 0 && !t.hasRawData() && !t.hasSegment()) {
      t.setRawData(ByteString.EMPTY);
    }
  }
}
