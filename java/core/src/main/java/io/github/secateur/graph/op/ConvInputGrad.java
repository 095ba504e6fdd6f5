package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/** secateur.ConvInputGrad(dy, w, x): gradient of a {@link Conv} with these attributes in x. */
public final class ConvInputGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("ConvInputGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 2)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    ImageOps images = run.device().images();
    ConvLayout layout = ConvLayout.of(node, inputs.get(2).shape(), inputs.get(1).shape());
    DeviceTensor dy = inputs.get(0).view(layout.y());
    DeviceTensor w = inputs.get(1).view(layout.w());
    DeviceTensor dx = outputs.get(0).view(layout.x());
    Buffer workspace = Conv.workspace(layout, run);
    return () -> images.convolveInputGradient(layout.convolution(), dy, w, dx, workspace);
  }
}
