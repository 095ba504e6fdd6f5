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
 * secateur.ChannelSum(dy [batch, channels, ...], like [channels]): the sum over all axes but that
 * of the channels; the gradient of what is added channel by channel.
 */
public final class ChannelSum implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("ChannelSum");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape like = Check.f32(node, inference, 1);
    if (x.rank() < 2 || !like.equals(Shape.of(x.dim(1)))) {
      throw Check.misfit(node, "%s does not sum to channels %s", x, like);
    }
    return List.of(new TensorType(DType.F32, like));
  }

  /** [batch, channels, places] of images of any rank. */
  static Shape places(Shape x) {
    long places = 1;
    for (int d = 2; d < x.rank(); d++) {
      places *= x.dim(d);
    }
    return Shape.of(x.dim(0), x.dim(1), places);
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0).view(places(inputs.get(0).shape()));
    DeviceTensor out = outputs.get(0).view(Shape.of(x.shape().dim(1), 1));
    return () -> nn.reduceSumTo(x, out);
  }
}
