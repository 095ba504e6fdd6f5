package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/** secateur.MeanSquaredErrorGrad(x, target, dloss scalar): dx = dloss · 2 (x − target) / n. */
public final class MeanSquaredErrorGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MeanSquaredErrorGrad");

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
    DeviceTensor x = inputs.get(0);
    DeviceTensor target = inputs.get(1);
    DeviceTensor dloss = inputs.get(2);
    DeviceTensor dx = outputs.get(0);
    return () -> nn.mseGrad(x, target, dloss, dx);
  }
}
