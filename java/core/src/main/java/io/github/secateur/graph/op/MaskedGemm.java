package io.github.secateur.graph.op;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.SparseOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * secateur.MaskedGemm(x [..., in], weight, bias [out] optional): y [..., out] = x · Wᵀ + bias, for
 * training under a mask. The weight, a parameter, is stored [out, in], or [in, out] with attribute
 * {@code transposed} = 1. While {@link Op.SparseWeight#packed} gives its packed form, this product
 * and its two gradients run sparse; else they are the dense products of Gemm, bit for bit.
 */
public final class MaskedGemm implements Op {
  /** Its name. */
  public static final OpId ID = OpId.own("MaskedGemm");

  private static final String TRANSPOSED = "transposed";

  @Override
  public OpId id() {
    return ID;
  }

  /** Attributes for a weight stored one way or the other. */
  public static Map<String, Attribute> attributes(boolean transposed) {
    return Map.of(TRANSPOSED, new Attribute.Int(transposed ? 1 : 0));
  }

  static boolean transposed(Node node) {
    return node.intAttribute(TRANSPOSED, 0) != 0;
  }

  /** A matrix as the products take it: all leading axes in one. */
  static DeviceTensor rows(Node node, DeviceTensor tensor) {
    return tensor.view(FlattenRows.matrix(node, tensor.shape()));
  }

  /** The shape of an activation when its last axis gets another length. */
  static Shape withLast(Shape shape, long last) {
    long[] dims = shape.dims();
    dims[dims.length - 1] = last;
    return Shape.of(dims);
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    Shape weight = Check.f32(node, inference, 1);
    int in = transposed(node) ? 0 : 1;
    if (weight.rank() != 2 || x.rank() < 2 || x.dim(-1) != weight.dim(in)) {
      throw Check.misfit(node, "x %s and weight %s do not multiply", x, weight);
    }
    long out = weight.dim(1 - in);
    if (!node.input(2).isEmpty() && !Check.f32(node, inference, 2).equals(Shape.of(out))) {
      throw Check.misfit(
          node, "bias '%s' must be [%d], got %s", node.input(2), out, inference.type(2).shape());
    }
    return List.of(new TensorType(DType.F32, withLast(x, out)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String dy = gradients.of(0);
    String x = node.input(0);
    String weight = node.input(1);
    Map<String, Attribute> attributes = attributes(transposed(node));
    if (gradients.wanted(0)) {
      gradients.give(0, gradients.emit(MaskedGemmInputGrad.ID, attributes, dy, weight));
    }
    if (gradients.wanted(1)) {
      gradients.give(1, gradients.emit(MaskedGemmWeightGrad.ID, attributes, x, dy, weight));
    }
    if (!node.input(2).isEmpty() && gradients.wanted(2)) {
      gradients.give(2, gradients.emit(ReduceSumTo.ID, Map.of(), dy, node.input(2)));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DenseOps dense = run.device().dense();
    SparseOps sparse = run.device().sparse();
    NnOps nn = run.device().nn();
    DeviceTensor x = rows(node, inputs.get(0));
    DeviceTensor w = inputs.get(1);
    DeviceTensor bias = inputs.size() > 2 ? inputs.get(2) : null;
    DeviceTensor y = rows(node, outputs.get(0));
    boolean transposed = transposed(node);
    DenseOps.Gemm product = DenseOps.Gemm.of(false, !transposed);
    SparseOps.Epilogue epilogue = SparseOps.Epilogue.of(bias);
    SparseWeight weight =
        run.sparseWeight(node.input(1), transposed, x.shape().dim(0), SparseWeight.Use.PRODUCT);
    return () -> {
      SparseOps.PackedWeight packed = weight.packed();
      if (packed != null) {
        sparse.matmul(packed, x, epilogue, y, weight.workspace());
        return;
      }
      dense.gemm(product, x, w, y);
      if (bias != null) {
        nn.binary(NnOps.Binary.ADD, y, bias, y);
      }
    };
  }
}
