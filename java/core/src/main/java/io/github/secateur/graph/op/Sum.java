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

/** The sum of one or more broadcast inputs (ONNX Sum), added from left to right. */
public final class Sum implements Op {
  @Override
  public OpId id() {
    return OpId.onnx("Sum");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape y = Check.f32(node, inference, 0);
    for (int i = 1; i < inference.count(); i++) {
      y = Check.broadcast(node, y, Check.f32(node, inference, i));
    }
    return List.of(new TensorType(DType.F32, y));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (gradients.wanted(i)) {
        gradients.give(i, gradients.emit(ReduceSumTo.ID, Map.of(), gradients.of(0), node.input(i)));
      }
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor y = outputs.get(0);
    return () -> {
      nn.fill(0, y);
      for (DeviceTensor x : inputs) {
        nn.binary(NnOps.Binary.ADD, y, x, y);
      }
    };
  }
}
