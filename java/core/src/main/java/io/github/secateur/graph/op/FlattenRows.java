package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/** secateur.FlattenRows(x): x [..., k] as a matrix [rows, k], all leading axes in one. */
public final class FlattenRows extends View {
  /** Its name. */
  public static final OpId ID = OpId.own("FlattenRows");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    TensorType x = Check.present(node, inference, 0);
    return List.of(new TensorType(x.dtype(), matrix(node, x.shape())));
  }

  /** The shape [rows, k] of x [..., k]. */
  static Shape matrix(Node node, Shape x) {
    if (x.rank() == 0) {
      throw Check.misfit(node, "a scalar has no last axis");
    }
    long rows = 1;
    for (int d = 0; d < x.rank() - 1; d++) {
      rows *= x.dim(d);
    }
    return Shape.of(rows, x.dim(-1));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(0, gradients.emit(ReshapeLike.ID, Map.of(), gradients.of(0), node.input(0)));
  }
}
