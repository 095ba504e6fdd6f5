package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * secateur.SoftmaxCrossEntropy(logits [rows, classes], labels I32 [rows]): loss (scalar), the mean
 * over rows of logsumexp(logits) − logits[label], and probabilities [rows, classes], the softmax.
 * Only the loss has a gradient.
 */
public final class SoftmaxCrossEntropy implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("SoftmaxCrossEntropy");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape logits = Check.f32(node, inference, 0);
    TensorType labels = Check.present(node, inference, 1);
    if (logits.rank() != 2) {
      throw Check.misfit(
          node, "logits '%s' must be [rows, classes], got %s", node.input(0), logits);
    }
    if (!labels.equals(new TensorType(DType.I32, Shape.of(logits.dim(0))))) {
      throw Check.misfit(
          node,
          "labels '%s' must be I32[%d], one for each row of logits %s, got %s",
          node.input(1),
          logits.dim(0),
          logits,
          labels);
    }
    return List.of(TensorType.f32(), new TensorType(DType.F32, logits));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (node.outputs().size() < 2 || node.outputs().get(1).isEmpty()) {
      throw Check.misfit(node, "its gradient needs the second output (probabilities); name it");
    }
    if (gradients.of(1) != null) {
      throw Check.misfit(
          node, "only the loss has a gradient; use a Softmax node for losses of probabilities");
    }
    gradients.give(
        0,
        gradients.emit(
            SoftmaxCrossEntropyGrad.ID,
            Map.of(),
            node.outputs().get(1),
            node.input(1),
            gradients.of(0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor logits = inputs.get(0);
    DeviceTensor labels = inputs.get(1);
    DeviceTensor loss = outputs.get(0);
    DeviceTensor probabilities =
        outputs.size() > 1 && outputs.get(1) != null
            ? outputs.get(1)
            : new DeviceTensor(run.scratch(logits.size() * 4), 0, DType.F32, logits.shape());
    return () -> nn.softmaxCrossEntropy(logits, labels, probabilities, loss);
  }
}
