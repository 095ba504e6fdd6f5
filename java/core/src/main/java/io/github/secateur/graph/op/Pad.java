package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.OpId;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.stream.LongStream;

/**
 * x with places of one value put around it (ONNX Pad, mode constant): pads [begin of each axis, end
 * of each axis] and the value are attributes before operator set 11, then constant inputs; axes,
 * from 18 on, says which axes pads speaks of. Negative pads cut places off.
 */
public final class Pad extends BoxCopy {
  /** Its name. */
  public static final OpId ID = OpId.onnx("Pad");

  @Override
  public OpId id() {
    return ID;
  }

  @Override
  Box box(Node node, Shape x, Constants constants) {
    String mode = node.textAttribute("mode", "constant");
    if (!mode.equals("constant")) {
      throw Check.misfit(node, "mode '%s' is not executed; only constant is", mode);
    }
    List<Long> pads = constants.longs(1, "pads");
    List<Long> axes = constants.longs(3, "axes");
    int rank = x.rank();
    if (axes == null) {
      axes = LongStream.range(0, rank).boxed().toList();
    }
    if (pads == null || pads.size() != 2 * axes.size()) {
      throw Check.misfit(node, "pads %s must be two numbers for each of %s axes", pads, axes);
    }
    long[] y = x.dims();
    long[] size = x.dims();
    long[] from = new long[rank];
    long[] to = new long[rank];
    for (int i = 0; i < axes.size(); i++) {
      int axis = Check.axis(node, axes.get(i), rank, rank - 1);
      long begin = pads.get(i);
      long end = pads.get(axes.size() + i);
      y[axis] = Math.max(0, y[axis] + begin + end);
      size[axis] += Math.min(begin, 0) + Math.min(end, 0);
      from[axis] = Math.max(-begin, 0);
      to[axis] = Math.max(begin, 0);
    }
    return new Box(Shape.of(y), size, from, to, constants.real(2, "value", 0));
  }
}
