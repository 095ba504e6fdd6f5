package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/**
 * secateur.AveragePoolGrad(dy, x): each dy is shared evenly by the places that were averaged. The
 * attributes are those of the {@link AveragePool}; {@code whole} = 1 stands for GlobalAveragePool.
 */
public final class AveragePoolGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("AveragePoolGrad");

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
    ImageOps images = run.device().images();
    Sliding sliding = Sliding.ofPool(node, inputs.get(1).shape());
    DeviceTensor dy = inputs.get(0).view(Sliding.image(node, inputs.get(0).shape()));
    DeviceTensor dx = outputs.get(0).view(sliding.image());
    boolean count = node.intAttribute("count_include_pad", 0) != 0;
    if (count && sliding.overhangs()) {
      PaddedImage padded = PaddedImage.of(sliding, run);
      return () -> {
        images.averagePoolGradient(padded.window(), false, dy, padded.image());
        padded.take(run.device().nn(), dx);
      };
    }
    return () -> images.averagePoolGradient(sliding.window(), count, dy, dx);
  }
}
