package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;

/**
 * secateur.HardConcreteGrad(logAlpha, dz): dlogAlpha = dz · dz/dlogAlpha for the draw of the
 * HardConcrete node whose output the attribute {@code draw} names. Runs in training only.
 */
public final class HardConcreteGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("HardConcreteGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    if (!run.training()) {
      throw Check.misfit(node, "gates have gradients in training only; compile for training");
    }
    PruneOps prune = run.device().prune();
    long salt = run.salt();
    DeviceTensor state = run.randomState();
    DeviceTensor logAlpha = inputs.get(0);
    DeviceTensor dz = inputs.get(1);
    DeviceTensor dLogAlpha = outputs.get(0);
    return () -> prune.hardConcreteGrad(state, salt, logAlpha, dz, dLogAlpha);
  }
}
