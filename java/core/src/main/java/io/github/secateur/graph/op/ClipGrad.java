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
 * secateur.ClipGrad(dy, x, min, max): dx = min &lt; x &lt; max ? dy : 0; bounds as {@link Clip}.
 */
public final class ClipGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("ClipGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 1)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    Clip.Bounds bounds = Clip.Bounds.of(Constants.of(node, run).shifted(1));
    DeviceTensor dy = inputs.get(0);
    DeviceTensor x = inputs.get(1);
    DeviceTensor dx = outputs.get(0);
    return () -> nn.clipGrad(bounds.low(), bounds.high(), x, dy, dx);
  }
}
