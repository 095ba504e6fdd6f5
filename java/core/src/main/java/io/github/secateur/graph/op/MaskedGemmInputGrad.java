package io.github.secateur.graph.op;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;

/** secateur.MaskedGemmInputGrad(dy [..., out], weight): dx [..., in] = dy · W, see MaskedGemm. */
public final class MaskedGemmInputGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MaskedGemmInputGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape dy = Check.f32(node, inference, 0);
    Shape weight = Check.f32(node, inference, 1);
    int out = MaskedGemm.transposed(node) ? 1 : 0;
    if (weight.rank() != 2 || dy.rank() < 2 || dy.dim(-1) != weight.dim(out)) {
      throw Check.misfit(node, "dy %s and weight %s do not multiply", dy, weight);
    }
    return List.of(new TensorType(DType.F32, MaskedGemm.withLast(dy, weight.dim(1 - out))));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DenseOps dense = run.device().dense();
    SparseOps sparse = run.device().sparse();
    DeviceTensor dy = MaskedGemm.rows(node, inputs.get(0));
    DeviceTensor w = inputs.get(1);
    DeviceTensor dx = MaskedGemm.rows(node, outputs.get(0));
    boolean transposed = MaskedGemm.transposed(node);
    DenseOps.Gemm product = DenseOps.Gemm.of(false, transposed);
    SparseWeight weight =
        run.sparseWeight(
            node.input(1), transposed, dy.shape().dim(0), SparseWeight.Use.INPUT_GRADIENT);
    return () -> {
      SparseOps.PackedWeight packed = weight.packed();
      if (packed != null) {
        sparse.inputGradient(packed, dy, dx, weight.workspace());
      } else {
        dense.gemm(product, dy, w, dx);
      }
    };
  }
}
