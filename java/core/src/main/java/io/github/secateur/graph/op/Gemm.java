package io.github.secateur.graph.op;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Y = alpha · A' · B' + beta · C (ONNX Gemm): A' [m, k] is A or its transpose, B' [k, n] is B or
 * its transpose, C (optional) broadcasts to Y [m, n].
 *
 * <p>Gradients: dA' = alpha · dY · B'ᵀ and dB' = alpha · A'ᵀ · dY are Gemm nodes too, with
 * transposition chosen so that they come out as A and B are stored; dC = beta · dY summed to C.
 */
public final class Gemm implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Gemm");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape a = Check.f32(node, inference, 0);
    Shape b = Check.f32(node, inference, 1);
    if (a.rank() != 2 || b.rank() != 2) {
      throw Check.misfit(node, "A %s and B %s must be matrices", a, b);
    }
    boolean transA = flag(node, "transA");
    boolean transB = flag(node, "transB");
    if (a.dim(transA ? 0 : 1) != b.dim(transB ? 1 : 0)) {
      throw Check.misfit(
          node,
          "'%s' %s%s and '%s' %s%s do not multiply",
          node.input(0),
          a,
          transA ? " transposed" : "",
          node.input(1),
          b,
          transB ? " transposed" : "");
    }
    Shape y = Shape.of(a.dim(transA ? 1 : 0), b.dim(transB ? 0 : 1));
    if (!node.input(2).isEmpty()) {
      Shape c = Check.f32(node, inference, 2);
      if (!Check.broadcast(node, y, c).equals(y)) {
        throw Check.misfit(node, "C '%s' %s does not broadcast to %s", node.input(2), c, y);
      }
    }
    return List.of(new TensorType(DType.F32, y));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    String dy = gradients.of(0);
    String a = node.input(0);
    String b = node.input(1);
    boolean transA = flag(node, "transA");
    boolean transB = flag(node, "transB");
    float alpha = node.realAttribute("alpha", 1);
    if (gradients.wanted(0)) {
      gradients.give(
          0,
          transA
              ? gradients.emit(ID, attributes(alpha, transB, true), b, dy)
              : gradients.emit(ID, attributes(alpha, false, !transB), dy, b));
    }
    if (gradients.wanted(1)) {
      gradients.give(
          1,
          transB
              ? gradients.emit(ID, attributes(alpha, true, transA), dy, a)
              : gradients.emit(ID, attributes(alpha, !transA, false), a, dy));
    }
    if (!node.input(2).isEmpty() && gradients.wanted(2)) {
      String dc = gradients.emit(ReduceSumTo.ID, Map.of(), dy, node.input(2));
      float beta = node.realAttribute("beta", 1);
      if (beta != 1) {
        Attribute scale = new Attribute.Data(Tensor.of(Shape.of(), beta));
        String scalar = gradients.emit(Constant.ID, Map.of("value", scale));
        dc = gradients.emit(Binary.MUL, Map.of(), dc, scalar);
      }
      gradients.give(2, dc);
    }
  }

  /** Attributes of a Gemm node; those with their default value are left out. */
  static Map<String, Attribute> attributes(float alpha, boolean transA, boolean transB) {
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    if (alpha != 1) {
      attributes.put("alpha", new Attribute.Real(alpha));
    }
    if (transA) {
      attributes.put("transA", new Attribute.Int(1));
    }
    if (transB) {
      attributes.put("transB", new Attribute.Int(1));
    }
    return attributes;
  }

  private static boolean flag(Node node, String attribute) {
    return node.intAttribute(attribute, 0) != 0;
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DenseOps dense = run.device().dense();
    NnOps nn = run.device().nn();
    DeviceTensor a = inputs.get(0);
    DeviceTensor b = inputs.get(1);
    DeviceTensor y = outputs.get(0);
    DeviceTensor c = inputs.size() > 2 ? inputs.get(2) : null;
    boolean transA = flag(node, "transA");
    boolean transB = flag(node, "transB");
    float alpha = node.realAttribute("alpha", 1);
    float beta = c == null ? 0 : node.realAttribute("beta", 1);
    if (beta == 0 || beta == 1) {
      DenseOps.Gemm product = new DenseOps.Gemm(transA, transB, alpha, 0);
      if (beta == 0) {
        return () -> dense.gemm(product, a, b, y);
      }
      return () -> {
        dense.gemm(product, a, b, y);
        nn.binary(NnOps.Binary.ADD, y, c, y);
      };
    }
    DenseOps.Gemm product = new DenseOps.Gemm(transA, transB, alpha, beta);
    return () -> {
      nn.fill(0, y);
      nn.binary(NnOps.Binary.ADD, y, c, y);
      dense.gemm(product, a, b, y);
    };
  }
}
