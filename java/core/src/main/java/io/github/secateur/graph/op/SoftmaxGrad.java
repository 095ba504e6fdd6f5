package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/**
 * secateur.SoftmaxGrad(y, dy): dx = y · (dy − Σ dy·y) along attribute {@code axis} (the last unless
 * given), where y = Softmax(x).
 */
public final class SoftmaxGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("SoftmaxGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor y = inputs.get(0);
    DeviceTensor dy = inputs.get(1);
    DeviceTensor dx = outputs.get(0);
    int axis = Check.axis(node, node.intAttribute("axis", -1), y.shape().rank(), Integer.MAX_VALUE);
    if (axis == y.shape().rank() - 1) {
      return () -> nn.softmaxGrad(y, dy, dx);
    }
    AxisLast layout = AxisLast.of(y.shape(), axis);
    List<DeviceTensor> moved = layout.scratch(run, 2);
    DeviceTensor movedY = moved.get(0);
    DeviceTensor movedDy = moved.get(1);
    DeviceTensor y3 = y.view(layout.stored());
    DeviceTensor dy3 = dy.view(layout.stored());
    DeviceTensor dx3 = dx.view(layout.stored());
    return () -> {
      nn.transpose(AxisLast.SWAP, y3, movedY);
      nn.transpose(AxisLast.SWAP, dy3, movedDy);
      nn.softmaxGrad(movedY, movedDy, movedDy);
      nn.transpose(AxisLast.SWAP, movedDy, dx3);
    };
  }
}
