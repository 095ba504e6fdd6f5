package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.OpId;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The mean or the sum of x over axes (ONNX ReduceMean, ReduceSum): all axes unless they are given,
 * by attribute in older operator sets, then as a constant input. keepdims = 1, the default, leaves
 * axes of size 1. The gradient: {@link ReduceGrad}.
 */
public final class Reduce implements Op {
  /** The mean. */
  public static final OpId MEAN = OpId.onnx("ReduceMean");

  /** The sum. */
  public static final OpId SUM = OpId.onnx("ReduceSum");

  private final OpId id;

  /** One of the two. */
  public Reduce(OpId id) {
    this.id = id;
  }

  @Override
  public OpId id() {
    return id;
  }

  /**
   * Shapes of a reduction.
   *
   * @param kept the result, reduced axes of size 1
   * @param y the result as the node gives it
   * @param count elements that make one
   */
  record Layout(Shape kept, Shape y, long count) {
    static Layout of(Node node, Shape x, Constants constants) {
      List<Long> axes = constants.longs(1, "axes");
      if (axes == null || axes.isEmpty()) {
        boolean nothing = node.intAttribute("noop_with_empty_axes", 0) != 0;
        axes = LongStream.range(0, nothing ? 0 : x.rank()).boxed().toList();
      }
      long[] kept = x.dims();
      boolean[] reduced = new boolean[kept.length];
      for (long axis : axes) {
        int d = Check.axis(node, axis, x.rank(), x.rank() - 1);
        kept[d] = 1;
        reduced[d] = true;
      }
      Shape shape = Shape.of(kept);
      List<Long> rest = new ArrayList<>();
      for (int d = 0; d < kept.length; d++) {
        if (!reduced[d]) {
          rest.add(kept[d]);
        }
      }
      long[] left = rest.stream().mapToLong(Long::longValue).toArray();
      boolean keep = node.intAttribute("keepdims", 1) != 0;
      return new Layout(shape, keep ? shape : Shape.of(left), x.size() / Math.max(1, shape.size()));
    }
  }

  @Override
  public List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    return List.of(
        new TensorType(DType.F32, Layout.of(node, x, Constants.of(node, inference)).y()));
  }

  /** Where each result has one element. */
  @Override
  public boolean isView(Node node, Inference inference, boolean training) {
    Shape x = inference.type(0).shape();
    return x.equals(Layout.of(node, x, Constants.of(node, inference)).kept());
  }

  @Override
  public void gradient(Node node, Gradients gradients) {
    if (gradients.wanted(0)) {
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.addFirst(gradients.of(0));
      gradients.give(
          0, gradients.emit(ReduceGrad.id(id), node.attributes(), inputs.toArray(String[]::new)));
    }
  }

  @Override
  public Kernel prepare(Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    NnOps nn = run.device().nn();
    DeviceTensor x = inputs.get(0);
    Layout layout = Layout.of(node, x.shape(), Constants.of(node, run));
    DeviceTensor y = outputs.get(0).view(layout.kept());
    if (id.equals(SUM)) {
      return () -> nn.reduceSumTo(x, y);
    }
    DeviceTensor scale = new DeviceTensor(run.scratch(4), 0, DType.F32, Shape.of());
    float share = 1f / layout.count();
    return () -> {
      nn.reduceSumTo(x, y);
      nn.fill(share, scale);
      nn.binary(NnOps.Binary.MUL, y, scale, y);
    };
  }
}
