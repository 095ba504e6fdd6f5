package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;

/**
 * secateur.ReduceSumTo(x, like): sums x over the axes along which {@code like} would be broadcast
 * to the shape of x; the adjoint of broadcasting. A view where the shapes are equal.
 */
public final class ReduceSumTo implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("ReduceSumTo");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape like = Check.f32(node, inference, 1);
    if (!Check.broadcast(node, x, like).equals(x)) {
      throw Check.misfit(node, "%s does not sum to %s", x, like);
    }
    return List.of(new TensorType(DType.F32, like));
  }

  @Override
  public boolean isView(Node node, Inference inference, boolean training) {
    return inference.type(0).shape().equals(inference.type(1).shape());
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    DeviceTensor out = outputs.get(0);
    return () -> nn.reduceSumTo(x, out);
  }
}
