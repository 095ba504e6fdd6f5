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
 * secateur.StraightThrough(x, gate): y = x · gate, both of the same shape; the gradient of x is
 * that of y as if the gate were 1 everywhere (straight-through estimator, Bengio et al., arXiv
 * 1308.3432), the gate has none.
 */
public final class StraightThrough implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("StraightThrough");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape gate = Check.f32(node, inference, 1);
    if (!x.equals(gate)) {
      throw Check.misfit(node, "x %s and gate %s should have one shape", x, gate);
    }
    return List.of(new TensorType(DType.F32, x));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(0, gradients.of(0));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    DeviceTensor gate = inputs.get(1);
    DeviceTensor y = outputs.get(0);
    return () -> nn.binary(NnOps.Binary.MUL, x, gate, y);
  }
}
