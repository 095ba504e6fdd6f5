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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Its inputs one behind the other along an axis (ONNX Concat). The gradient of an input is its part
 * of dy: {@link ConcatGrad}.
 */
public final class Concat implements Op {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Concat");

  @Override
  public OpId id() {
    return ID;
  }

  /** The axis, counted from 0. */
  static int axis(Node node, Shape x) {
    return Check.axis(node, node.intAttribute("axis", 1), x.rank(), x.rank() - 1);
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape first = Check.f32(node, inference, 0);
    int axis = axis(node, first);
    long[] dims = first.dims();
    for (int i = 1; i < inference.count(); i++) {
      Shape x = Check.f32(node, inference, i);
      long[] same = x.dims();
      if (x.rank() == first.rank()) {
        same[axis] = first.dim(axis);
      }
      if (!Shape.of(same).equals(first)) {
        throw Check.misfit(
            node, "'%s' %s does not continue %s along axis %d", node.input(i), x, first, axis);
      }
      dims[axis] += x.dim(axis);
    }
    return List.of(new TensorType(DType.F32, Shape.of(dims)));
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (gradients.wanted(i)) {
        List<String> inputs = new ArrayList<>(node.inputs().subList(0, i + 1));
        inputs.addFirst(gradients.of(0));
        Attribute axis = new Attribute.Int(node.intAttribute("axis", 1));
        gradients.give(
            i, gradients.emit(ConcatGrad.ID, Map.of("axis", axis), inputs.toArray(String[]::new)));
      }
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor y = outputs.get(0);
    int axis = axis(node, y.shape());
    List<Kernel> copies = new ArrayList<>();
    long[] to = new long[y.shape().rank()];
    for (DeviceTensor x : inputs) {
      long[] first = to.clone();
      long[] size = x.shape().dims();
      copies.add(() -> nn.copyBox(size, new long[size.length], x, first, y));
      to[axis] += size[axis];
    }
    return () -> copies.forEach(Kernel::run);
  }
}
