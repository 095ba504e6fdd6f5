package io.github.secateur.graph.op;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An operator that copies a box of x to a box of its output, whose other places hold one value. Its
 * gradient copies back: {@link BoxCopyGrad}.
 */
abstract sealed class BoxCopy implements Op permits Slice, Pad {
  /**
   * What is copied.
   *
   * @param y shape of the output
   * @param size of the box
   * @param from its first place in x
   * @param to its first place in y
   * @param value of the rest of y
   */
  record Box(Shape y, long[] size, long[] from, long[] to, float value) {
    /** Copies between x and y, the other way for the gradient; fills what is not copied to. */
    Kernel copy(NnOps nn, DeviceTensor x, DeviceTensor y, boolean back) {
      DeviceTensor target = back ? x : y;
      boolean covered = Arrays.equals(target.shape().dims(), size);
      return () -> {
        if (!covered) {
          nn.fill(back ? 0 : value, target);
        }
        if (back) {
          nn.copyBox(size, to, y, from, x);
        } else {
          nn.copyBox(size, from, x, to, y);
        }
      };
    }
  }

  /** The box for an input of this shape. */
  abstract Box box(Node node, Shape x, Constants constants);

  /** The checked box. */
  final Box nonempty(Node node, Shape x, Constants constants) {
    Box box = box(node, x, constants);
    if (Arrays.stream(box.size).anyMatch(s -> s < 1)) {
      throw Check.misfit(node, "nothing of '%s' %s is left", node.input(0), x);
    }
    return box;
  }

  @Override
  public final List<TensorType> infer(Node node, Inference inference) {
    Shape x = Check.f32(node, inference, 0);
    return List.of(new TensorType(DType.F32, nonempty(node, x, Constants.of(node, inference)).y()));
  }

  @Override
  public final void gradient(Node node, Gradients gradients) {
    if (gradients.wanted(0)) {
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.addFirst(gradients.of(0));
      gradients.give(
          0,
          gradients.emit(BoxCopyGrad.id(this), node.attributes(), inputs.toArray(String[]::new)));
    }
  }

  @Override
  public final Kernel prepare(
      Node node, List<DeviceTensor> inputs, List<DeviceTensor> outputs, Run run) {
    DeviceTensor x = inputs.get(0);
    return nonempty(node, x.shape(), Constants.of(node, run))
        .copy(run.device().nn(), x, outputs.get(0), false);
  }
}
