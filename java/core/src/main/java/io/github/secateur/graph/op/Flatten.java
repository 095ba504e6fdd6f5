package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * x [d0, ..., dr] to a matrix [d0 · ... · d(axis-1), d(axis) · ... · dr] (ONNX Flatten, axis 1
 * unless given).
 */
public final class Flatten extends View {
  @Override
  public OpId id() {
    return OpId.onnx("Flatten");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    TensorType x = Check.present(node, inference, 0);
    int rank = x.shape().rank();
    int axis = Check.axis(node, node.intAttribute("axis", 1), rank, rank);
    long rows = 1;
    long columns = 1;
    for (int d = 0; d < rank; d++) {
      if (d < axis) {
        rows *= x.shape().dim(d);
      } else {
        columns *= x.shape().dim(d);
      }
    }
    return List.of(new TensorType(x.dtype(), Shape.of(rows, columns)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(0, gradients.emit(ReshapeLike.ID, Map.of(), gradients.of(0), node.input(0)));
  }
}
