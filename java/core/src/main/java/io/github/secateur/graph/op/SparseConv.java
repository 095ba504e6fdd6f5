package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import java.util.List;

/**
 * secateur.SparseConv(x, weight, bias optional): f(ONNX Conv) with a weight full of zeros, which
 * must be a parameter or a constant: what it holds when the graph is compiled is packed then, zeros
 * left out; later changes are not seen. No gradient. Attributes are those of {@link Conv}, and
 * {@code activation} and {@code alpha} as in {@link SparseGemm}.
 */
public final class SparseConv implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("SparseConv");

  private static final Conv DENSE = new Conv();

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    List<TensorType> types = DENSE.infer(node, inference);
    if (inference.constant(1).isEmpty()) {
      throw Check.misfit(
          node, "weight '%s' is computed; only an initializer can be packed", node.input(1));
    }
    return types;
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    SparseOps sparse = run.device().sparse();
    ConvLayout layout = ConvLayout.of(node, inputs.get(0).shape(), inputs.get(1).shape());
    DeviceTensor bias = inputs.size() > 2 ? inputs.get(2) : null;
    SparseOps.Epilogue epilogue = SparseGemm.epilogue(node, bias);
    SparseOps.PackedFilters filters =
        sparse.packFilters(layout.convolution(), layout.x(), inputs.get(1).view(layout.w()), null);
    try {
      Buffer workspace = run.scratch(filters.workspaceBytes());
      return new Product(
          sparse,
          filters,
          inputs.get(0).view(layout.x()),
          epilogue,
          outputs.get(0).view(layout.y()),
          workspace);
    } catch (RuntimeException e) {
      filters.close();
      throw e;
    }
  }

  private record Product(
      SparseOps sparse,
      SparseOps.PackedFilters filters,
      DeviceTensor x,
      SparseOps.Epilogue epilogue,
      DeviceTensor y,
      Buffer workspace)
      implements Kernel {
    @Override
    public void run() {
      sparse.convolve(filters, x, epilogue, y, workspace);
    }

    @Override
    public void close() {
      filters.close();
    }
  }
}
