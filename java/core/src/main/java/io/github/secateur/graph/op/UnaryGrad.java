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
 * secateur.UnaryGrad(x, y, dy): dx = dy · f'(x) where y = f(x). Attributes: {@code function}, a
 * name of {@link NnOps.Unary}; {@code alpha}, the slope of LEAKY_RELU.
 */
public final class UnaryGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("UnaryGrad");

  /** Attribute that names the function. */
  static final String FUNCTION = "function";

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
    NnOps.Unary f = NnOps.Unary.valueOf(node.textAttribute(FUNCTION, ""));
    float alpha = node.realAttribute("alpha", 0);
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = inputs.get(1);
    DeviceTensor dy = inputs.get(2);
    DeviceTensor dx = outputs.get(0);
    return () -> nn.unaryGrad(f, alpha, x, y, dy, dx);
  }
}
