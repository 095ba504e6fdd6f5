package io.github.secateur.graph.op;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;

/**
 * secateur.SparseGemm(x [..., in], weight, bias [out] optional): y [..., out] = f(x · Wᵀ + bias)
 * with a weight full of zeros. The weight is stored [out, in], or [in, out] with attribute {@code
 * transposed} = 1. It must be a parameter or a constant: what it holds when the graph is compiled
 * is packed then, zeros left out; later changes are not seen. No gradient.
 *
 * <p>Attribute {@code format} is the label of a {@link SparseFormat}, {@code csr} when absent;
 * {@code activation} the name of f among {@link NnOps.Unary}, none when absent, and {@code alpha}
 * its slope.
 */
public final class SparseGemm implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("SparseGemm");

  @Override
  public OpId id() {
    return ID;
  }

  /** What follows the product, from the node's attributes. */
  static SparseOps.Epilogue epilogue(Node node, DeviceTensor bias) {
    String name = node.textAttribute("activation", "");
    try {
      return new SparseOps.Epilogue(
          bias, name.isEmpty() ? null : NnOps.Unary.valueOf(name), node.realAttribute("alpha", 0));
    } catch (IllegalArgumentException e) {
      throw Check.misfit(node, "activation '%s' is none that can be fused", name);
    }
  }

  private static boolean transposed(Node node) {
    return node.intAttribute("transposed", 0) != 0;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape weight = Check.f32(node, inference, 1);
    if (weight.rank() != 2 || x.rank() == 0) {
      throw Check.misfit(node, "needs x [..., in] and a weight matrix, got %s and %s", x, weight);
    }
    if (inference.constant(1).isEmpty()) {
      throw Check.misfit(
          node, "weight '%s' is computed; only an initializer can be packed", node.input(1));
    }
    long out = weight.dim(transposed(node) ? 1 : 0);
    long in = weight.dim(transposed(node) ? 0 : 1);
    if (x.dim(-1) != in) {
      throw Check.misfit(
          node,
          "x '%s' %s and weight '%s' %s%s do not multiply",
          node.input(0),
          x,
          node.input(1),
          weight,
          transposed(node) ? " stored [in, out]" : " stored [out, in]");
    }
    if (!node.input(2).isEmpty() && !Check.f32(node, inference, 2).equals(Shape.of(out))) {
      throw Check.misfit(
          node, "bias '%s' must be [%d], got %s", node.input(2), out, inference.type(2).shape());
    }
    long[] dims = x.dims();
    dims[dims.length - 1] = out;
    return List.of(new TensorType(DType.F32, Shape.of(dims)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    SparseOps sparse = run.device().sparse();
    DeviceTensor x = inputs.get(0).view(FlattenRows.matrix(node, inputs.get(0).shape()));
    DeviceTensor y = outputs.get(0).view(FlattenRows.matrix(node, outputs.get(0).shape()));
    DeviceTensor bias = inputs.size() > 2 ? inputs.get(2) : null;
    SparseOps.Epilogue epilogue = epilogue(node, bias);
    SparseFormat format = SparseFormat.parse(node.textAttribute("format", "csr"));
    SparseOps.PackedWeight packed = sparse.pack(inputs.get(1), transposed(node), null, format);
    try {
      Buffer workspace = run.scratch(sparse.workspaceBytes(packed, x.shape().dim(0)));
      return new Product(sparse, packed, x, epilogue, y, workspace);
    } catch (RuntimeException e) {
      packed.close();
      throw e;
    }
  }

  private record Product(
      SparseOps sparse,
      SparseOps.PackedWeight packed,
      DeviceTensor x,
      SparseOps.Epilogue epilogue,
      DeviceTensor y,
      Buffer workspace)
      implements Kernel {
    @Override
    public void run() {
      sparse.matmul(packed, x, epilogue, y, workspace);
    }

    @Override
    public void close() {
      packed.close();
    }
  }
}
