package io.github.secateur.graph.op;

import io.github.secateur.graph.Node;
import io.github.secateur.graph.Op;
import io.github.secateur.graph.TensorType;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/** What the shape rules have in common. */
final class Check {
  private Check() {}

  /** Shape of an input that must be there and be F32. */
  static Shape f32(Node node, Op.Inference inference, int input) {
    TensorType type = present(node, inference, input);
    if (type.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          "%s: input '%s' is %s; only F32 is executed, convert the model first"
              .formatted(node, node.input(input), type));
    }
    return type.shape();
  }

  /** Type of an input that must be there. */
  static TensorType present(Node node, Op.Inference inference, int input) {
    if (input >= inference.count() || inference.type(input) == null) {
      throw new IllegalArgumentException("%s: input %d is missing".formatted(node, input));
    }
    return inference.type(input);
  }

  /** Shape of two inputs under ONNX (NumPy) broadcasting. */
  static Shape broadcast(Node node, Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    long[] dims = new long[rank];
    for (int i = 1; i <= rank; i++) {
      long da = i <= a.rank() ? a.dim(-i) : 1;
      long db = i <= b.rank() ? b.dim(-i) : 1;
      if (da != db && da != 1 && db != 1) {
        throw new IllegalArgumentException(
            "%s: shapes %s and %s do not broadcast; sizes must be equal or 1, aligned at the last axis"
                .formatted(node, a, b));
      }
      dims[rank - i] = da == 1 ? db : da;
    }
    return Shape.of(dims);
  }

  /** Axis counted from 0; {@code limit} is the highest allowed. */
  static int axis(Node node, long axis, int rank, int limit) {
    long counted = axis < 0 ? axis + rank : axis;
    if (counted < 0 || counted > limit) {
      throw new IllegalArgumentException(
          "%s: axis %d is out of range for rank %d".formatted(node, axis, rank));
    }
    return (int) counted;
  }

  /** The error for shapes that do not fit. */
  static IllegalArgumentException misfit(Node node, String message, Object... arguments) {
    return new IllegalArgumentException(node + ": " + message.formatted(arguments));
  }
}
