package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/** secateur.ReshapeLike(x, like): x under the shape of another value of equal size. */
public final class ReshapeLike extends View {
  /** Its name. */
  public static final OpId ID = OpId.own("ReshapeLike");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    TensorType x = Check.present(node, inference, 0);
    Shape like = Check.present(node, inference, 1).shape();
    if (like.size() != x.shape().size()) {
      throw Check.misfit(node, "cannot reshape %s to %s", x.shape(), like);
    }
    return List.of(new TensorType(x.dtype(), like));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.wanted(0)) {
      gradients.give(0, gradients.emit(ID, Map.of(), gradients.of(0), node.input(0)));
    }
  }
}
