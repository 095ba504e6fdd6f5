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
import java.util.List;
import java.util.Map;

/**
 * y = exp(x) / Σ exp(x) along an axis, the last unless given (ONNX Softmax, opset 13 and later;
 * before, only along the last axis, where both definitions agree).
 */
public final class Softmax implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Softmax");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    boolean old = inference.opset() < 13;
    int axis = Check.axis(node, node.intAttribute("axis", old ? 1 : -1), x.rank(), x.rank() - 1);
    if (old && axis != x.rank() - 1) {
      throw Check.misfit(
          node,
          "before opset 13 a softmax from axis %d of %s spans several axes, which is not executed",
          axis,
          x);
    }
    return List.of(new TensorType(DType.F32, x));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    Map<String, Attribute> axis =
        node.attributes().containsKey("axis")
            ? Map.of("axis", node.attributes().get("axis"))
            : Map.of();
    gradients.give(0, gradients.emit(SoftmaxGrad.ID, axis, node.output(), gradients.of(0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = outputs.get(0);
    int axis = Check.axis(node, node.intAttribute("axis", -1), x.shape().rank(), Integer.MAX_VALUE);
    if (axis == x.shape().rank() - 1) {
      return () -> nn.softmax(x, y);
    }
    AxisLast layout = AxisLast.of(x.shape(), axis);
    DeviceTensor moved = layout.scratch(run, 1).getFirst();
    DeviceTensor x3 = x.view(layout.stored());
    DeviceTensor y3 = y.view(layout.stored());
    return () -> {
      nn.transpose(AxisLast.SWAP, x3, moved);
      nn.softmax(moved, moved);
      nn.transpose(AxisLast.SWAP, moved, y3);
    };
  }
}
