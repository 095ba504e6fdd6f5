package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Axis d of y is axis perm[d] of x (ONNX Transpose; without perm the axes are reversed). The
 * gradient is the inverse transposition.
 */
public final class Transpose implements Op {
  @Override
  public OpId id() {
    return OpId.onnx("Transpose");
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    int[] perm = permutation(node, x.rank());
    return List.of(
        new TensorType(DType.F32, Shape.of(Arrays.stream(perm).mapToLong(x::dim).toArray())));
  }

  private static int[] permutation(Node node, int rank) {
    long[] perm =
        node
            .intsAttribute(
                "perm", LongStream.range(0, rank).map(d -> rank - 1 - d).boxed().toList())
            .stream()
            .mapToLong(Long::longValue)
            .toArray();
    if (!Arrays.equals(
        Arrays.stream(perm).sorted().toArray(), LongStream.range(0, rank).toArray())) {
      throw Check.misfit(node, "perm %s is no permutation of %d axes", Arrays.toString(perm), rank);
    }
    return Arrays.stream(perm).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    Map<String, Attribute> attributes = Map.of();
    List<Long> perm = node.intsAttribute("perm", List.of());
    if (!perm.isEmpty()) {
      Long[] inverse = new Long[perm.size()];
      for (int d = 0; d < inverse.length; d++) {
        inverse[Math.toIntExact(perm.get(d))] = (long) d;
      }
      attributes = Map.of("perm", new Attribute.Ints(List.of(inverse)));
    }
    gradients.give(0, gradients.emit(id(), attributes, gradients.of(0)));
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    DeviceTensor y = outputs.get(0);
    int[] perm = permutation(node, x.shape().rank());
    return () -> nn.transpose(perm, x, y);
  }
}
