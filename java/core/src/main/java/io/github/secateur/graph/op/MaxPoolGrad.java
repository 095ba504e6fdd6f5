package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;

/**
 * secateur.MaxPoolGrad(dy, places I32, x): each dy goes to the place that won its window. The
 * attributes are those of the {@link MaxPool}; {@code whole} = 1 stands for GlobalMaxPool.
 */
public final class MaxPoolGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MaxPoolGrad");

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
    Sliding sliding = Sliding.ofPool(node, inputs.get(2).shape());
    Shape out = Sliding.image(node, inputs.get(0).shape());
    DeviceTensor dy = inputs.get(0).view(out);
    DeviceTensor places = inputs.get(1).view(out);
    DeviceTensor dx = outputs.get(0).view(sliding.image());
    return () -> images.maxPoolGradient(sliding.window(), dy, places, dx);
  }
}
