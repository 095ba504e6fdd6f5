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
 * secateur.ConcatGrad(dy, x0, ..., xi): the part of dy that belongs to the last of these inputs of
 * a {@link Concat} along attribute {@code axis}.
 */
public final class ConcatGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("ConcatGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, inference.count() - 1)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor dy = inputs.get(0);
    DeviceTensor dx = outputs.get(0);
    int axis = Concat.axis(node, dy.shape());
    long[] size = dx.shape().dims();
    long[] to = new long[size.length];
    long[] from = new long[size.length];
    for (DeviceTensor before : inputs.subList(1, inputs.size() - 1)) {
      from[axis] += before.shape().dim(axis);
    }
    return () -> nn.copyBox(size, from, dy, to, dx);
  }
}
