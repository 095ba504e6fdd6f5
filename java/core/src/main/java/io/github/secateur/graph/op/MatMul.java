package io.github.secateur.graph.op;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * Y [..., n] = A [..., k] · B [k, n] (ONNX MatMul with a matrix on the right). Vectors and a
 * batched right operand are not executed.
 *
 * <p>Gradients, all leading axes of A and Y taken as rows: dA = dY · Bᵀ, dB = Aᵀ · dY.
 */
public final class MatMul implements Op {
  @Override
  public OpId id() {
    return OpId.onnx("MatMul");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape a = Check.f32(node, inference, 0);
    Shape b = Check.f32(node, inference, 1);
    if (a.rank() < 2 || b.rank() != 2) {
      throw Check.misfit(
          node, "only A [..., k] times B [k, n] is executed, got A %s and B %s", a, b);
    }
    if (a.dim(-1) != b.dim(0)) {
      throw Check.misfit(
          node, "'%s' %s and '%s' %s do not multiply", node.input(0), a, node.input(1), b);
    }
    long[] dims = a.dims();
    dims[dims.length - 1] = b.dim(1);
    return List.of(new TensorType(DType.F32, Shape.of(dims)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String a = node.input(0);
    String dy = gradients.emit(FlattenRows.ID, Map.of(), gradients.of(0));
    if (gradients.wanted(0)) {
      String rows = gradients.emit(Gemm.ID, Gemm.attributes(1, false, true), dy, node.input(1));
      gradients.give(0, gradients.emit(ReshapeLike.ID, Map.of(), rows, a));
    }
    if (gradients.wanted(1)) {
      String rows = gradients.emit(FlattenRows.ID, Map.of(), a);
      gradients.give(1, gradients.emit(Gemm.ID, Gemm.attributes(1, true, false), rows, dy));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DenseOps dense = run.device().dense();
    DenseOps.Gemm product = DenseOps.Gemm.of(false, false);
    DeviceTensor a = inputs.get(0).view(FlattenRows.matrix(node, inputs.get(0).shape()));
    DeviceTensor b = inputs.get(1);
    DeviceTensor y = outputs.get(0).view(FlattenRows.matrix(node, outputs.get(0).shape()));
    return () -> dense.gemm(product, a, b, y);
  }
}
