package io.github.secateur.graph.op;

import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * Checked shapes of a convolution, those of signals taken as images of height 1.
 *
 * @param x [batch, channels, height, width]
 * @param w [outputs, channels / groups, kernel height, kernel width]
 * @param y [batch, outputs, out height, out width]
 * @param output y in the rank of the node's own tensors
 */
record ConvLayout(Convolution convolution, Shape x, Shape w, Shape y, Shape output) {
  static ConvLayout of(Node node, Shape x, Shape w) {
    if (w.rank() != x.rank() || w.rank() < 3) {
      throw Check.misfit(
          node,
          "x %s and weight %s must be both of rank 4 (images) or both of rank 3 (signals)",
          x,
          w);
    }
    long groups = node.intAttribute("group", 1);
    if (groups < 1 || x.dim(1) != groups * w.dim(1) || w.dim(0) % groups != 0) {
      throw Check.misfit(
          node,
          "%d groups of x %s and weight %s do not fit: x needs groups · %d channels, and the"
              + " weight's %d outputs must divide into the groups",
          groups,
          x,
          w,
          w.dim(1),
          w.dim(0));
    }
    List<Long> kernel = Arrays.stream(w.dims()).skip(2).boxed().toList();
    List<Long> declared = node.intsAttribute("kernel_shape", kernel);
    if (!declared.equals(kernel)) {
      throw Check.misfit(node, "kernel_shape %s is not that of the weight %s", declared, w);
    }
    Sliding sliding = Sliding.of(node, x, kernel);
    Shape output = sliding.output(x, w.dim(0));
    return new ConvLayout(
        new Convolution(sliding.window(), Math.toIntExact(groups)),
        sliding.image(),
        Sliding.image(node, w),
        Sliding.image(node, output),
        output);
  }
}
