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

/**
 * secateur.MaskedGemmWeightGrad(x [..., in], dy [..., out], weight): dyᵀ · x in the shape of the
 * weight, see MaskedGemm. While the weight is packed only where it is kept, +0 elsewhere.
 */
public final class MaskedGemmWeightGrad implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MaskedGemmWeightGrad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape dy = Check.f32(node, inference, 1);
    Shape weight = Check.f32(node, inference, 2);
    int out = MaskedGemm.transposed(node) ? 1 : 0;
    if (weight.rank() != 2 || x.dim(-1) != weight.dim(1 - out) || dy.dim(-1) != weight.dim(out)) {
      throw Check.misfit(node, "x %s and dy %s do not fit weight %s", x, dy, weight);
    }
    return List.of(new TensorType(DType.F32, weight));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DenseOps dense = run.device().dense();
    SparseOps sparse = run.device().sparse();
    DeviceTensor x = MaskedGemm.rows(node, inputs.get(0));
    DeviceTensor dy = MaskedGemm.rows(node, inputs.get(1));
    DeviceTensor gradient = outputs.get(0);
    boolean transposed = MaskedGemm.transposed(node);
    DenseOps.Gemm product = DenseOps.Gemm.of(true, false);
    SparseWeight weight =
        run.sparseWeight(
            node.input(2), transposed, x.shape().dim(0), SparseWeight.Use.WEIGHT_GRADIENT);
    return () -> {
      SparseOps.PackedWeight packed = weight.packed();
      if (packed != null) {
        sparse.weightGradient(packed, x, dy, gradient, weight.workspace());
      } else if (transposed) {
        dense.gemm(product, x, dy, gradient);
      } else {
        dense.gemm(product, dy, x, gradient);
      }
    };
  }
}
