package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;

/**
 * A tensor of a constant shape that holds one value (ONNX ConstantOfShape; attribute value, an F32
 * tensor of one element, 0 unless given). It depends on nothing and has no gradient.
 */
public final class ConstantOfShape implements Op {
  @Override
  public OpId id() {
    return OpId.onnx("ConstantOfShape");
  }

  private static float value(Node node) {
    Attribute value = node.attributes().get("value");
    if (value == null) {
      return 0;
    }
    if (value instanceof Attribute.Data(Tensor t) && t.dtype() == DType.F32 && t.size() == 1) {
      return t.getFloat(0);
    }
    throw Check.misfit(node, "its value must be one F32 number; others are not executed");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    value(node);
    List<Long> dims = Constants.of(node, inference).longs(0, "");
    if (dims == null) {
      throw Check.misfit(node, "its shape is missing");
    }
    return List.of(
        new TensorType(DType.F32, Shape.of(dims.stream().mapToLong(Long::longValue).toArray())));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor y = outputs.get(0);
    float value = value(node);
    return () -> nn.fill(value, y);
  }
}
