package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import java.util.List;
import java.util.Map;

/**
 * secateur.HardConcrete(logAlpha): gates z in [0, 1] of the same shape. In training they are drawn,
 * otherwise they are the evaluation gates without noise (Louizos et al. 2018, arXiv 1712.01312, eq.
 * 10 to 13; formulas in {@code secateur.h}).
 */
public final class HardConcrete implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("HardConcrete");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    return List.of(new TensorType(DType.F32, Check.f32(node, inference, 0)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    gradients.give(
        0,
        gradients.emit(
            HardConcreteGrad.ID,
            Map.of(Run.DRAW, new Attribute.Text(node.output())),
            node.input(0),
            gradients.of(0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    PruneOps prune = run.device().prune();
    DeviceTensor logAlpha = inputs.get(0);
    DeviceTensor z = outputs.get(0);
    if (!run.training()) {
      return () -> prune.hardConcreteEval(logAlpha, z);
    }
    long salt = run.salt();
    DeviceTensor state = run.randomState();
    return () -> prune.hardConcrete(state, salt, logAlpha, z);
  }
}
