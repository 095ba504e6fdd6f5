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
 * secateur.SoftmaxCrossEntropyGrad(probabilities [rows, classes], labels I32 [rows], dloss scalar):
 * dlogits = dloss / rows · (probabilities − onehot(labels)).
 */
public final class SoftmaxCrossEntropyGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("SoftmaxCrossEntropyGrad");

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
    DeviceTensor probabilities = inputs.get(0);
    DeviceTensor labels = inputs.get(1);
    DeviceTensor dloss = inputs.get(2);
    DeviceTensor dlogits = outputs.get(0);
    return () -> nn.softmaxCrossEntropyGrad(probabilities, labels, dloss, dlogits);
  }
}
