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
 * secateur.ReduceMeanGrad and secateur.ReduceSumGrad(dy, x, axes): each element of x gets the dy it
 * went into, divided by their number for the mean. Attributes are those of the {@link Reduce}.
 */
public final class ReduceGrad implements Op {
  private final OpId forward;

  /** The gradient of one of the two. */
  public ReduceGrad(OpId forward) {
    this.forward = forward;
  }

  static OpId id(OpId forward) {
    return OpId.own(forward.type() + "Grad");
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
    NnOps nn = run.device().nn();
    DeviceTensor dx = outputs.get(0);
    Reduce.Layout layout = Reduce.Layout.of(node, dx.shape(), Constants.of(node, run).shifted(1));
    DeviceTensor dy = inputs.get(0).view(layout.kept());
    float share = forward.equals(Reduce.MEAN) ? 1f / layout.count() : 1;
    return () -> {
      nn.fill(share, dx);
      nn.binary(NnOps.Binary.MUL, dx, dy, dx);
    };
  }
}
