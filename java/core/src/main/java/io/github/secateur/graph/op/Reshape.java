package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * x under another shape (ONNX Reshape). The wanted shape must be constant; in it 0 stands for the
 * size of the same axis of x (unless allowzero = 1) and one -1 for whatever is left.
 */
public final class Reshape extends View {
  @Override
  public OpId id() {
    return OpId.onnx("Reshape");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    TensorType x = Check.present(node, inference, 0);
    long[] wanted = wanted(node, inference);
    long[] dims = wanted.clone();
    int free = -1;
    long known = 1;
    for (int d = 0; d < dims.length; d++) {
      if (dims[d] == -1 && free < 0) {
        free = d;
        continue;
      }
      if (dims[d] == 0 && node.intAttribute("allowzero", 0) == 0) {
        if (d >= x.shape().rank()) {
          throw misfit(node, x.shape(), wanted);
        }
        dims[d] = x.shape().dim(d);
      }
      if (dims[d] < 0) {
        throw misfit(node, x.shape(), wanted);
      }
      known *= dims[d];
    }
    if (free >= 0) {
      if (known == 0 || x.shape().size() % known != 0) {
        throw misfit(node, x.shape(), wanted);
      }
      dims[free] = x.shape().size() / known;
    } else if (known != x.shape().size()) {
      throw misfit(node, x.shape(), wanted);
    }
    return List.of(new TensorType(x.dtype(), Shape.of(dims)));
  }

  private static long[] wanted(Node node, Inference inference) {
    if (inference.opset() < 5 && node.input(1).isEmpty()) {
      return node.intsAttribute("shape", List.of()).stream().mapToLong(Long::longValue).toArray();
    }
    TensorType shape = Check.present(node, inference, 1);
    if (shape.dtype() != DType.I64 || shape.shape().rank() != 1) {
      throw Check.misfit(node, "shape '%s' must be an I64 vector, got %s", node.input(1), shape);
    }
    return inference
        .constant(1)
        .orElseThrow(
            () ->
                Check.misfit(
                    node,
                    "shape '%s' is computed; only a constant shape is executed",
                    node.input(1)))
        .toLongs();
  }

  private static IllegalArgumentException misfit(Node node, Shape from, long[] wanted) {
    return Check.misfit(node, "cannot reshape %s to %s", from, Arrays.toString(wanted));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(0, gradients.emit(ReshapeLike.ID, Map.of(), gradients.of(0), node.input(0)));
  }
}
