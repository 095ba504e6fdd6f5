package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * secateur.MeanSquaredError(x, target): loss (scalar) = mean of (x − target)² over all elements; x
 * and target have the same shape.
 */
public final class MeanSquaredError implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MeanSquaredError");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape target = Check.f32(node, inference, 1);
    if (!x.equals(target)) {
      throw Check.misfit(
          node,
          "'%s' %s and target '%s' %s must have the same shape",
          node.input(0),
          x,
          node.input(1),
          target);
    }
    return List.of(TensorType.f32());
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String dx =
        gradients.emit(
            MeanSquaredErrorGrad.ID, Map.of(), node.input(0), node.input(1), gradients.of(0));
    if (gradients.wanted(0)) {
      gradients.give(0, dx);
    }
    if (gradients.wanted(1)) {
      gradients.give(1, gradients.emit(Unary.NEG, Map.of(), dx));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    DeviceTensor target = inputs.get(1);
    DeviceTensor loss = outputs.get(0);
    return () -> nn.mse(x, target, loss);
  }
}
