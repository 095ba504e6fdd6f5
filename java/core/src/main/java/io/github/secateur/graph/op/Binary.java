package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;
import java.util.Map;

/**
 * y = a op b under broadcasting (ONNX Add, Sub, Mul, Div).
 *
 * <p>Gradients, each summed to the shape of its input: Add dy, dy; Sub dy, −dy; Mul dy·b, dy·a; Div
 * dy/b, −dy·y/b.
 */
public final class Binary implements Op {
  /** Addition. */
  public static final OpId ADD = OpId.onnx("Add");

  /** Subtraction. */
  public static final OpId SUB = OpId.onnx("Sub");

  /** Product of elements. */
  public static final OpId MUL = OpId.onnx("Mul");

  /** Quotient of elements. */
  public static final OpId DIV = OpId.onnx("Div");

  private final OpId id;
  private final NnOps.Binary function;

  /** The operator that computes a function. */
  public Binary(OpId id, NnOps.Binary function) {
    this.id = id;
    this.function = function;
  }

  @Override
  public OpId id() {
    return id;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(
        new TensorType(
            DType.F32,
            Check.broadcast(node, Check.f32(node, inference, 0), Check.f32(node, inference, 1))));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String dy = gradients.of(0);
    String a = node.input(0);
    String b = node.input(1);
    if (gradients.wanted(0)) {
      gradients.give(
          0,
          sumTo(
              gradients,
              switch (function) {
                case ADD, SUB -> dy;
                case MUL -> gradients.emit(MUL, Map.of(), dy, b);
                case DIV -> gradients.emit(DIV, Map.of(), dy, b);
              },
              a));
    }
    if (gradients.wanted(1)) {
      gradients.give(
          1,
          switch (function) {
            case ADD -> sumTo(gradients, dy, b);
            case SUB -> negated(gradients, sumTo(gradients, dy, b));
            case MUL -> sumTo(gradients, gradients.emit(MUL, Map.of(), dy, a), b);
            case DIV -> {
              String dyY = gradients.emit(MUL, Map.of(), dy, node.output());
              String quotient = gradients.emit(DIV, Map.of(), dyY, b);
              yield negated(gradients, sumTo(gradients, quotient, b));
            }
          });
    }
  }

  private static String sumTo(Gradients gradients, String value, String like) {
    return gradients.emit(ReduceSumTo.ID, Map.of(), value, like);
  }

  private static String negated(Gradients gradients, String value) {
    return gradients.emit(Unary.NEG, Map.of(), value);
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor a = inputs.get(0);
    DeviceTensor b = inputs.get(1);
    DeviceTensor y = outputs.get(0);
    return () -> nn.binary(function, a, b, y);
  }
}
