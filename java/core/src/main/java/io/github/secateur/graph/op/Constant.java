package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;

/**
 * A value held by the node itself (ONNX Constant): attribute value, value_float, value_floats,
 * value_int or value_ints. It is uploaded once, when the graph is compiled.
 */
public final class Constant implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Constant");

  @Override
  public OpId id() {
    return ID;
  }

  /**
   * The value of a Constant node.
   *
   * @throws IllegalArgumentException when it is text or of a type that Tensor does not hold
   */
  public static Tensor value(Node node) {
    for (Attribute attribute : node.attributes().values()) {
      switch (attribute) {
        case Attribute.Data d -> {
          return d.value();
        }
        case Attribute.Real r -> {
          return Tensor.of(Shape.of(), r.value());
        }
        case Attribute.Reals r -> {
          float[] values = new float[r.values().size()];
          for (int i = 0; i < values.length; i++) {
            values[i] = r.values().get(i);
          }
          return Tensor.of(Shape.of(values.length), values);
        }
        case Attribute.Int i -> {
          return Tensor.ofLongs(Shape.of(), i.value());
        }
        case Attribute.Ints i -> {
          return Tensor.ofLongs(
              Shape.of(i.values().size()),
              i.values().stream().mapToLong(Long::longValue).toArray());
        }
        default -> {}
      }
    }
    throw Check.misfit(node, "its value is of a kind that is not executed (text or sparse)");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Tensor value = value(node);
    return List.of(new TensorType(value.dtype(), value.shape()));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    throw new IllegalStateException(node + " is resident and has no kernel");
  }
}
