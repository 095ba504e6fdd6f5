package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/**
 * secateur.SliceGrad and secateur.PadGrad(dy, x, ...): the box of dy that was copied, among zeros.
 * Attributes and further inputs are those of the forward node.
 */
public final class BoxCopyGrad implements Op {
  private final BoxCopy forward;

  private BoxCopyGrad(BoxCopy forward) {
    this.forward = forward;
  }

  /** The gradient of Slice. */
  public static BoxCopyGrad ofSlice() {
    return new BoxCopyGrad(new Slice());
  }

  /** The gradient of Pad. */
  public static BoxCopyGrad ofPad() {
    return new BoxCopyGrad(new Pad());
  }

  static OpId id(BoxCopy forward) {
    return OpId.own(forward.id().type() + "Grad");
  }

  @Override
  public OpId id() {
    return id(forward);
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 1)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DeviceTensor dx = outputs.get(0);
    return forward
        .nonempty(node, dx.shape(), Constants.of(node, run).shifted(1))
        .copy(run.device().nn(), dx, inputs.get(0), true);
  }
}
