package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import java.util.List;

/** An operator whose output is its first input under another shape. */
abstract class View implements Op {
  @Override
  public final boolean isView(Node node, Inference inference, boolean training) {
    return true;
  }

  @Override
  public final Kernel prepare(
      Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    throw new IllegalStateException(node + " is a view and has no kernel");
  }
}
