package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import java.util.List;

/** y = x (ONNX Identity), any element type. */
public final class Identity extends View {
  @Override
  public OpId id() {
    return OpId.onnx("Identity");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(Check.present(node, inference, 0));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(0, gradients.of(0));
  }
}
