package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * The mean under a sliding window (ONNX AveragePool; attributes kernel_shape, count_include_pad and
 * those of {@link Sliding}) or of the whole image (GlobalAveragePool). With count_include_pad the
 * zeros that pads add are averaged too, but never places that only ceil_mode reaches. The gradient:
 * {@link AveragePoolGrad}.
 */
public final class AveragePool implements Op {
  /** The mean under each window. */
  public static final OpId WINDOWS = OpId.onnx("AveragePool");

  /** The mean of each plane. */
  public static final OpId GLOBAL = OpId.onnx("GlobalAveragePool");

  private final OpId id;

  /** One of the two. */
  public AveragePool(OpId id) {
    this.id = id;
  }

  @Override
  public OpId id() {
    return id;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    return List.of(new TensorType(DType.F32, Sliding.ofPool(node, x).output(x, x.dim(1))));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    Map<String, Attribute> attributes = Sliding.gradientAttributes(node);
    gradients.give(
        0, gradients.emit(AveragePoolGrad.ID, attributes, gradients.of(0), node.input(0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    ImageOps images = run.device().images();
    Sliding sliding = Sliding.ofPool(node, inputs.get(0).shape());
    DeviceTensor x = inputs.get(0).view(sliding.image());
    DeviceTensor y = outputs.get(0).view(Sliding.image(node, outputs.get(0).shape()));
    boolean count = node.intAttribute("count_include_pad", 0) != 0;
    if (count && sliding.overhangs()) {
      PaddedImage padded = PaddedImage.of(sliding, run);
      return () -> {
        padded.fill(run.device().nn(), x);
        images.averagePool(padded.window(), false, padded.image(), y);
      };
    }
    return () -> images.averagePool(sliding.window(), count, x, y);
  }
}
