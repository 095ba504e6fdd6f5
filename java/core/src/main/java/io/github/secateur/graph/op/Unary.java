package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * y = f(x), element by element (ONNX Relu, LeakyRelu, Sigmoid, Tanh, Gelu, Neg, Exp, Log, Sqrt,
 * Erf, Abs); formulas: {@link NnOps.Unary} and {@code secateur.h}. The gradient is one {@link
 * UnaryGrad}.
 */
public final class Unary implements Op {
  /** −x. */
  public static final OpId NEG = OpId.onnx("Neg");

  private final OpId id;
  private final NnOps.Unary function;

  /** The operator that computes a function. */
  public Unary(OpId id, NnOps.Unary function) {
    this.id = id;
    this.function = function;
  }

  @Override
  public OpId id() {
    return id;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 0)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (function == NnOps.Unary.NEG) {
      gradients.give(0, gradients.emit(NEG, Map.of(), gradients.of(0)));
      return;
    }
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    attributes.put(UnaryGrad.FUNCTION, new Attribute.Text(function(node).name()));
    if (function == NnOps.Unary.LEAKY_RELU) {
      attributes.put("alpha", new Attribute.Real(alpha(node)));
    }
    gradients.give(
        0, gradients.emit(UnaryGrad.ID, attributes, node.input(0), node.output(), gradients.of(0)));
  }

  private NnOps.Unary function(Node node) {
    if (function != NnOps.Unary.GELU) {
      return function;
    }
    String approximate = node.textAttribute("approximate", "none");
    return switch (approximate) {
      case "none" -> NnOps.Unary.GELU;
      case "tanh" -> NnOps.Unary.GELU_TANH;
      default ->
          throw Check.misfit(node, "approximate must be none or tanh, got '%s'", approximate);
    };
  }

  private static float alpha(Node node) {
    return node.realAttribute("alpha", 0.01f);
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    NnOps.Unary f = function(node);
    float alpha = alpha(node);
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = outputs.get(0);
    return () -> nn.unary(f, alpha, x, y);
  }
}
