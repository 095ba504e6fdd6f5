package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * Y = X ⋆ W + B (ONNX Conv, a cross-correlation): X [batch, channels, height, width], W [outputs,
 * channels / group, kernel height, kernel width], B [outputs] (optional); or the same of signals,
 * without height. Attributes: group, and those of {@link Sliding}.
 *
 * <p>Gradients: {@link ConvInputGrad}, {@link ConvWeightGrad}, and for B the sum of dY over batch
 * and places, {@link ChannelSum}.
 */
public final class Conv implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Conv");

  @Override
  public OpId id() {
    return ID;
  }

  /**
   * The window of a node, for inputs and weights of these shapes; that of a signal has height 1.
   *
   * @throws IllegalArgumentException when they do not fit
   */
  public static ImageOps.Window window(Node node, Shape x, Shape w) {
    return ConvLayout.of(node, x, w).convolution().window();
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape w = Check.f32(node, inference, 1);
    ConvLayout layout = ConvLayout.of(node, Check.f32(node, inference, 0), w);
    if (!node.input(2).isEmpty() && !Check.f32(node, inference, 2).equals(Shape.of(w.dim(0)))) {
      throw Check.misfit(
          node,
          "bias '%s' must be [%d], got %s",
          node.input(2),
          w.dim(0),
          inference.type(2).shape());
    }
    return List.of(new TensorType(DType.F32, layout.output()));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String dy = gradients.of(0);
    String x = node.input(0);
    String w = node.input(1);
    if (gradients.wanted(0)) {
      gradients.give(0, gradients.emit(ConvInputGrad.ID, node.attributes(), dy, w, x));
    }
    if (gradients.wanted(1)) {
      gradients.give(1, gradients.emit(ConvWeightGrad.ID, node.attributes(), dy, x, w));
    }
    if (!node.input(2).isEmpty() && gradients.wanted(2)) {
      gradients.give(2, gradients.emit(ChannelSum.ID, Map.of(), dy, node.input(2)));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    ImageOps images = run.device().images();
    ConvLayout layout = ConvLayout.of(node, inputs.get(0).shape(), inputs.get(1).shape());
    DeviceTensor x = inputs.get(0).view(layout.x());
    DeviceTensor w = inputs.get(1).view(layout.w());
    DeviceTensor bias = inputs.size() > 2 ? inputs.get(2) : null;
    DeviceTensor y = outputs.get(0).view(layout.y());
    Buffer workspace = workspace(layout, run);
    return () -> images.convolve(layout.convolution(), x, w, bias, y, workspace);
  }

  /** Workspace for a convolution and its gradients. */
  static Buffer workspace(ConvLayout layout, Run run) {
    return run.scratch(
        run.device().images().workspaceBytes(layout.convolution(), layout.x(), layout.w()));
  }
}
