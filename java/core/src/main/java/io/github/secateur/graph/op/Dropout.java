package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * In training y = u &lt; ratio ? 0 : x / (1 − ratio), u uniform in (0, 1); otherwise y = x (ONNX
 * Dropout; the ratio is a constant second input, before opset 12 an attribute, 0.5 unless given).
 * Whether it is active follows from how the graph is run, not from the input training_mode. The
 * mask output is not computed.
 *
 * <p>The gradient repeats the draw: {@link DropoutGrad}.
 */
public final class Dropout implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Dropout");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Check.f32(node, inference, 0);
    ratio(node, ratioInput(inference));
    TensorType x = inference.type(0);
    return List.of(x, new TensorType(DType.BOOL, x.shape()));
  }

  /** The constant ratio, checked. */
  static float ratio(Node node, Optional<Tensor> input) {
    float ratio;
    if (node.input(1).isEmpty()) {
      ratio = node.realAttribute("ratio", 0.5f);
    } else {
      Tensor t =
          input.orElseThrow(
              () ->
                  Check.misfit(
                      node, "ratio '%s' is computed; only a constant is executed", node.input(1)));
      if (t.dtype() != DType.F32 || t.size() != 1) {
        throw Check.misfit(node, "ratio '%s' must be an F32 scalar, got %s", node.input(1), t);
      }
      ratio = t.getFloat(0);
    }
    if (!(ratio >= 0 && ratio < 1)) {
      throw Check.misfit(node, "ratio must be at least 0 and less than 1, got %s", ratio);
    }
    return ratio;
  }

  @Override
  public boolean isView(Node node, Inference inference, boolean training) {
    return !training || ratio(node, ratioInput(inference)) == 0;
  }

  private static Optional<Tensor> ratioInput(Inference inference) {
    return inference.count() > 1 ? inference.constant(1) : Optional.empty();
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.of(0) == null) {
      return;
    }
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    attributes.put(Run.DRAW, new Attribute.Text(node.output()));
    if (node.attributes().containsKey("ratio")) {
      attributes.put("ratio", node.attributes().get("ratio"));
    }
    String dy = gradients.of(0);
    gradients.give(
        0,
        node.input(1).isEmpty()
            ? gradients.emit(DropoutGrad.ID, attributes, dy)
            : gradients.emit(DropoutGrad.ID, attributes, dy, node.input(1)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    if (outputs.size() > 1 && outputs.get(1) != null) {
      throw Check.misfit(node, "the mask output '%s' is not computed", node.outputs().get(1));
    }
    return draw(node, inputs, outputs, run);
  }

  /** The kernel, shared with the gradient: both apply the same draw to their first input. */
  static Kernel draw(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    float ratio = ratio(node, run.constant(node.input(1)));
    long salt = run.salt();
    DeviceTensor state = run.randomState();
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = outputs.get(0);
    return () -> nn.dropout(state, salt, ratio, x, y);
  }
}
