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
 * The largest value under a sliding window (ONNX MaxPool; attributes kernel_shape and those of
 * {@link Sliding}) or of the whole image (GlobalMaxPool). The second output of ONNX, Indices, is
 * not computed, and storage_order, which concerns it alone, must be 0. A third output of our own
 * holds each winner's place in its plane, I32, for the gradient: {@link MaxPoolGrad}.
 */
public final class MaxPool implements Op {
  /** The largest under each window. */
  public static final OpId WINDOWS = OpId.onnx("MaxPool");

  /** The largest of each plane. */
  public static final OpId GLOBAL = OpId.onnx("GlobalMaxPool");

  private static final int PLACES = 2;

  private final OpId id;

  /** One of the two. */
  public MaxPool(OpId id) {
    this.id = id;
  }

  @Override
  public OpId id() {
    return id;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    if (node.intAttribute("storage_order", 0) != 0) {
      throw Check.misfit(node, "storage_order 1 (column-major indices) is not executed; use 0");
    }
    Shape y = Sliding.ofPool(node, x).output(x, x.dim(1));
    return List.of(
        new TensorType(DType.F32, y), new TensorType(DType.I64, y), new TensorType(DType.I32, y));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.wanted(0) && gradients.of(0) != null) {
      gradients.give(
          0,
          gradients.emit(
              MaxPoolGrad.ID,
              Sliding.gradientAttributes(node),
              gradients.of(0),
              gradients.saved(PLACES),
              node.input(0)));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    if (outputs.size() > 1 && outputs.get(1) != null) {
      throw Check.misfit(node, "the output '%s' (Indices) is not computed", node.outputs().get(1));
    }
    ImageOps images = run.device().images();
    Sliding sliding = Sliding.ofPool(node, inputs.get(0).shape());
    DeviceTensor x = inputs.get(0).view(sliding.image());
    Shape out = Sliding.image(node, outputs.get(0).shape());
    DeviceTensor y = outputs.get(0).view(out);
    DeviceTensor places =
        outputs.size() > PLACES && outputs.get(PLACES) != null
            ? outputs.get(PLACES).view(out)
            : null;
    return () -> images.maxPool(sliding.window(), x, y, places);
  }
}
