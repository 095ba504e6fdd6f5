package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import java.util.List;

/**
 * secateur.DropoutGrad(dy, ratio): dx = u &lt; ratio ? 0 : dy / (1 − ratio) with the u of the
 * Dropout node whose output the attribute {@code draw} names.
 */
public final class DropoutGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("DropoutGrad");

  private final Dropout dropout = new Dropout();

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(dropout.infer(node, inference).getFirst());
  }

  @Override
  public boolean isView(Node node, Inference inference, boolean training) {
    return dropout.isView(node, inference, training);
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    return Dropout.draw(node, inputs, outputs, run);
  }
}
