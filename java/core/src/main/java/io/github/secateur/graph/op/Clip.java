package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * y = min(max(x, low), high) (ONNX Clip): the bounds are attributes min and max before operator set
 * 11, then constant inputs, both optional. The gradient: {@link ClipGrad}.
 */
public final class Clip implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Clip");

  @Override
  public OpId id() {
    return ID;
  }

  /** Bounds of a Clip; infinite where there is none. */
  record Bounds(float low, float high) {
    static Bounds of(Constants constants) {
      return new Bounds(
          constants.real(1, "min", Float.NEGATIVE_INFINITY),
          constants.real(2, "max", Float.POSITIVE_INFINITY));
    }
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Bounds.of(Constants.of(node, inference)); // refuses computed bounds
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 0)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.wanted(0)) {
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.addFirst(gradients.of(0));
      gradients.give(
          0, gradients.emit(ClipGrad.ID, node.attributes(), inputs.toArray(String[]::new)));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    Bounds bounds = Bounds.of(Constants.of(node, run));
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = outputs.get(0);
    return () -> nn.clip(bounds.low(), bounds.high(), x, y);
  }
}
