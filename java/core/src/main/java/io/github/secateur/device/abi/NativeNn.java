package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.LongStream;

/** Elementwise operations, reductions, losses, random numbers and optimizer steps by the C ABI. */
public final class NativeNn implements NnOps {
  private static final int MAX_RANK = 8;
  private static final long SHAPE = 8;
  private static final long A_STRIDES = SHAPE + 8 * MAX_RANK;
  private static final long B_STRIDES = A_STRIDES + 8 * MAX_RANK;

  private final NativeDevice device;
  private final MemorySegment broadcast; // secateur_broadcast
  private final MemorySegment dims; // long [MAX_RANK]
  private final MemorySegment permutation; // int [MAX_RANK]
  private final MemorySegment block; // secateur_sgd_params or secateur_adam_params

  /**
   * The group of one device.
   *
   * @param arena lives as long as the device
   */
  public NativeNn(NativeDevice device, Arena arena) {
    this.device = device;
    this.broadcast = arena.allocate(B_STRIDES + 8 * MAX_RANK, 64);
    this.dims = arena.allocate(8 * MAX_RANK, 64);
    this.permutation = arena.allocate(4 * MAX_RANK, 64);
    this.block = arena.allocate(OPTIMIZER_BLOCK_BYTES, 64);
  }

  @Override
  public void fill(float value, DeviceTensor x) {
    Abi.check(
        "fill",
        AbiNn.fill(device.handle(), device.stream(), value, x.size(), device.f32("fill", x)));
  }

  @Override
  public void unary(Unary op, float alpha, DeviceTensor x, DeviceTensor y) {
    Shapes.same("unary", x, y);
    Abi.check(
        "unary",
        AbiNn.unary(
            device.handle(),
            device.stream(),
            op.ordinal(),
            alpha,
            x.size(),
            device.f32("unary", x),
            device.f32("unary", y)));
  }

  @Override
  public void unaryGrad(
      Unary op, float alpha, DeviceTensor x, DeviceTensor y, DeviceTensor dy, DeviceTensor dx) {
    Shapes.same("unaryGrad", x, y);
    Shapes.same("unaryGrad", x, dy);
    Shapes.same("unaryGrad", x, dx);
    Abi.check(
        "unaryGrad",
        AbiNn.unaryGrad(
            device.handle(),
            device.stream(),
            op.ordinal(),
            alpha,
            x.size(),
            device.f32("unaryGrad", x),
            device.f32("unaryGrad", y),
            device.f32("unaryGrad", dy),
            device.f32("unaryGrad", dx)));
  }

  @Override
  public void binary(Binary op, DeviceTensor a, DeviceTensor b, DeviceTensor out) {
    int rank = out.shape().rank();
    checkRank("binary", out.shape());
    broadcast.set(INT, 0, rank);
    for (int d = 0; d < rank; d++) {
      broadcast.set(LONG, SHAPE + 8L * d, out.shape().dim(d));
    }
    boolean grown =
        strides(a.shape(), out.shape(), A_STRIDES) & strides(b.shape(), out.shape(), B_STRIDES);
    if (!grown || !isBroadcast(a.shape(), b.shape(), out.shape())) {
      throw new IllegalArgumentException(
          "binary %s: shapes %s and %s do not broadcast to %s; dimensions must be equal or 1"
              .formatted(op, a.shape(), b.shape(), out.shape()));
    }
    Abi.check(
        "binary",
        AbiNn.binary(
            device.handle(),
            device.stream(),
            op.ordinal(),
            broadcast.address(),
            device.f32("binary", a),
            device.f32("binary", b),
            device.f32("binary", out)));
  }

  /** Writes the strides of an input under the output's shape; false when it does not broadcast. */
  private boolean strides(Shape in, Shape out, long offset) {
    int missing = out.rank() - in.rank();
    if (missing < 0) {
      return false;
    }
    long stride = 1;
    for (int d = out.rank() - 1; d >= 0; d--) {
      long size = d < missing ? 1 : in.dim(d - missing);
      if (size != 1 && size != out.dim(d)) {
        return false;
      }
      broadcast.set(LONG, offset + 8L * d, size == 1 ? 0 : stride);
      stride *= size;
    }
    return true;
  }

  /** Whether every dimension of the output comes from one of the inputs. */
  private static boolean isBroadcast(Shape a, Shape b, Shape out) {
    for (int d = 1; d <= out.rank(); d++) {
      long fromA = d <= a.rank() ? a.dim(-d) : 1;
      long fromB = d <= b.rank() ? b.dim(-d) : 1;
      if (out.dim(-d) != (fromA == 1 ? fromB : fromA)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void clip(float low, float high, DeviceTensor x, DeviceTensor y) {
    Shapes.same("clip", x, y);
    Abi.check(
        "clip",
        AbiImages.clip(
            device.handle(),
            device.stream(),
            low,
            high,
            x.size(),
            device.f32("clip", x),
            device.f32("clip", y)));
  }

  @Override
  public void clipGrad(float low, float high, DeviceTensor x, DeviceTensor dy, DeviceTensor dx) {
    Shapes.same("clipGrad", x, dy);
    Shapes.same("clipGrad", x, dx);
    Abi.check(
        "clipGrad",
        AbiImages.clipGrad(
            device.handle(),
            device.stream(),
            low,
            high,
            x.size(),
            device.f32("clipGrad", x),
            device.f32("clipGrad", dy),
            device.f32("clipGrad", dx)));
  }

  @Override
  public void copyBox(
      long[] size, long[] from, DeviceTensor source, long[] to, DeviceTensor target) {
    String op = "copyBox";
    checkRank(op, source.shape());
    if (source.dtype() != target.dtype() || source.dtype().byteSize() != 4) {
      throw new IllegalArgumentException(
          "copyBox: %s and %s must be of one type of 4 bytes".formatted(source, target));
    }
    // secateur_box has the layout of secateur_broadcast: source and target in the place of a and b.
    long read = corner(size, from, source, A_STRIDES);
    long write = corner(size, to, target, B_STRIDES);
    broadcast.set(INT, 0, size.length);
    for (int d = 0; d < size.length; d++) {
      broadcast.set(LONG, SHAPE + 8L * d, size[d]);
    }
    boolean empty = LongStream.of(size).anyMatch(extent -> extent == 0);
    Abi.check(
        op,
        AbiImages.copyBox(
            device.handle(),
            device.stream(),
            broadcast.address(),
            device.address(op, source, source.dtype()) + (empty ? 0 : read),
            device.address(op, target, target.dtype()) + (empty ? 0 : write)));
  }

  /** Writes a tensor's strides; returns where a box of it starts, in bytes. */
  private long corner(long[] size, long[] first, DeviceTensor tensor, long offset) {
    Shape shape = tensor.shape();
    boolean fits = size.length == shape.rank() && first.length == shape.rank();
    long stride = 1;
    long place = 0;
    for (int d = shape.rank() - 1; fits && d >= 0; d--) {
      fits = size[d] >= 0 && first[d] >= 0 && first[d] <= shape.dim(d) - size[d];
      broadcast.set(LONG, offset + 8L * d, stride);
      place += first[d] * stride;
      stride *= shape.dim(d);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "copyBox: a box of %s at %s does not lie in shape %s"
              .formatted(Arrays.toString(size), Arrays.toString(first), shape));
    }
    return 4 * place;
  }

  @Override
  public void reduceSumTo(DeviceTensor x, DeviceTensor out) {
    Shape from = x.shape();
    Shape to = out.shape();
    checkRank("reduceSumTo", from);
    int missing = from.rank() - to.rank();
    int axes = 0;
    boolean fits = missing >= 0;
    for (int d = 0; fits && d < from.rank(); d++) {
      dims.set(LONG, 8L * d, from.dim(d));
      long size = d < missing ? 1 : to.dim(d - missing);
      if (d < missing || (size == 1 && from.dim(d) != 1)) {
        axes |= 1 << d;
      } else if (size != from.dim(d)) {
        fits = false;
      }
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "reduceSumTo: shape %s cannot be summed to %s; that must broadcast to it"
              .formatted(from, to));
    }
    Abi.check(
        "reduceSumTo",
        AbiNn.reduceSum(
            device.handle(),
            device.stream(),
            from.rank(),
            dims.address(),
            axes,
            device.f32("reduceSumTo", x),
            device.f32("reduceSumTo", out)));
  }

  @Override
  public void transpose(int[] perm, DeviceTensor x, DeviceTensor out) {
    int rank = x.shape().rank();
    checkRank("transpose", x.shape());
    boolean fits = perm.length == rank && out.shape().rank() == rank;
    int seen = 0;
    for (int d = 0; fits && d < rank; d++) {
      fits = perm[d] >= 0 && perm[d] < rank && out.shape().dim(d) == x.shape().dim(perm[d]);
      seen |= fits ? 1 << perm[d] : 0;
      dims.set(LONG, 8L * d, x.shape().dim(d));
      permutation.set(INT, 4L * d, perm[d]);
    }
    if (!fits || seen != (1 << rank) - 1) {
      throw new IllegalArgumentException(
          "transpose: %s by %s does not give %s; out axis d is x axis perm[d]"
              .formatted(x.shape(), Arrays.toString(perm), out.shape()));
    }
    Abi.check(
        "transpose",
        AbiNn.transpose(
            device.handle(),
            device.stream(),
            rank,
            dims.address(),
            permutation.address(),
            device.f32("transpose", x),
            device.f32("transpose", out)));
  }

  @Override
  public void softmax(DeviceTensor x, DeviceTensor y) {
    Shapes.same("softmax", x, y);
    long rows = Shapes.rows("softmax", x.shape());
    Abi.check(
        "softmax",
        AbiNn.softmax(
            device.handle(),
            device.stream(),
            rows,
            x.shape().dim(-1),
            device.f32("softmax", x),
            device.f32("softmax", y)));
  }

  @Override
  public void softmaxGrad(DeviceTensor y, DeviceTensor dy, DeviceTensor dx) {
    Shapes.same("softmaxGrad", y, dy);
    Shapes.same("softmaxGrad", y, dx);
    long rows = Shapes.rows("softmaxGrad", y.shape());
    Abi.check(
        "softmaxGrad",
        AbiNn.softmaxGrad(
            device.handle(),
            device.stream(),
            rows,
            y.shape().dim(-1),
            device.f32("softmaxGrad", y),
            device.f32("softmaxGrad", dy),
            device.f32("softmaxGrad", dx)));
  }

  @Override
  public void softmaxCrossEntropy(
      DeviceTensor logits, DeviceTensor labels, DeviceTensor probabilities, DeviceTensor loss) {
    String op = "softmaxCrossEntropy";
    Shapes.same(op, logits, probabilities);
    Shapes.scalar(op, loss);
    long rows = classRows(op, logits, labels);
    Abi.check(
        op,
        AbiNn.softmaxCrossEntropy(
            device.handle(),
            device.stream(),
            rows,
            logits.shape().dim(1),
            device.f32(op, logits),
            device.address(op, labels, DType.I32),
            device.f32(op, probabilities),
            device.f32(op, loss)));
  }

  @Override
  public void softmaxCrossEntropyGrad(
      DeviceTensor probabilities, DeviceTensor labels, DeviceTensor dloss, DeviceTensor dlogits) {
    String op = "softmaxCrossEntropyGrad";
    Shapes.same(op, probabilities, dlogits);
    Shapes.scalar(op, dloss);
    long rows = classRows(op, probabilities, labels);
    Abi.check(
        op,
        AbiNn.softmaxCrossEntropyGrad(
            device.handle(),
            device.stream(),
            rows,
            probabilities.shape().dim(1),
            device.f32(op, probabilities),
            device.address(op, labels, DType.I32),
            device.f32(op, dloss),
            device.f32(op, dlogits)));
  }

  private static long classRows(String op, DeviceTensor matrix, DeviceTensor labels) {
    Shapes.rank(op, matrix.shape(), 2);
    Shapes.vector(op, labels, matrix.shape().dim(0), "row of " + matrix.shape());
    requireElements(op, matrix);
    return matrix.shape().dim(0);
  }

  @Override
  public void mse(DeviceTensor x, DeviceTensor t, DeviceTensor loss) {
    Shapes.same("mse", x, t);
    Shapes.scalar("mse", loss);
    requireElements("mse", x);
    Abi.check(
        "mse",
        AbiNn.mse(
            device.handle(),
            device.stream(),
            x.size(),
            device.f32("mse", x),
            device.f32("mse", t),
            device.f32("mse", loss)));
  }

  @Override
  public void mseGrad(DeviceTensor x, DeviceTensor t, DeviceTensor dloss, DeviceTensor dx) {
    Shapes.same("mseGrad", x, t);
    Shapes.same("mseGrad", x, dx);
    Shapes.scalar("mseGrad", dloss);
    requireElements("mseGrad", x);
    Abi.check(
        "mseGrad",
        AbiNn.mseGrad(
            device.handle(),
            device.stream(),
            x.size(),
            device.f32("mseGrad", x),
            device.f32("mseGrad", t),
            device.f32("mseGrad", dloss),
            device.f32("mseGrad", dx)));
  }

  @Override
  public void uniform(DeviceTensor state, long salt, DeviceTensor out) {
    Abi.check(
        "uniform",
        AbiNn.uniform(
            device.handle(),
            device.stream(),
            state(device, "uniform", state),
            salt,
            out.size(),
            device.f32("uniform", out)));
  }

  @Override
  public void dropout(DeviceTensor state, long salt, float ratio, DeviceTensor x, DeviceTensor y) {
    Shapes.same("dropout", x, y);
    if (!(ratio >= 0 && ratio < 1)) {
      throw new IllegalArgumentException("dropout: the ratio must be in [0, 1), got " + ratio);
    }
    Abi.check(
        "dropout",
        AbiNn.dropout(
            device.handle(),
            device.stream(),
            state(device, "dropout", state),
            salt,
            ratio,
            x.size(),
            device.f32("dropout", x),
            device.f32("dropout", y)));
  }

  /** Address of the random state: seed and counter. */
  static long state(NativeDevice device, String op, DeviceTensor state) {
    if (state.size() != 2) {
      throw new IllegalArgumentException(
          op + ": the random state is I64 [2] (seed, counter), not " + state);
    }
    return device.address(op, state, DType.I64);
  }

  @Override
  public void gatherRows(DeviceTensor source, DeviceTensor indices, DeviceTensor target) {
    String op = "gatherRows";
    long count = indices.size();
    boolean fits =
        source.dtype() == target.dtype()
            && source.shape().rank() >= 1
            && target.shape().rank() == source.shape().rank()
            && target.shape().dim(0) == count;
    for (int d = 1; fits && d < source.shape().rank(); d++) {
      fits = source.shape().dim(d) == target.shape().dim(d);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "%s: %d rows of %s do not make %s; type and row shape must agree"
              .formatted(op, count, source, target));
    }
    long rowBytes = source.dtype().byteSize();
    for (int d = 1; d < source.shape().rank(); d++) {
      rowBytes *= source.shape().dim(d);
    }
    Abi.check(
        op,
        AbiNn.gatherRows(
            device.handle(),
            device.stream(),
            count,
            rowBytes,
            source.shape().dim(0),
            device.address(op, source, source.dtype()),
            device.address(op, indices, DType.I32),
            device.address(op, target, target.dtype())));
  }

  @Override
  public void uploadSgd(Sgd params, Buffer target) {
    block.set(FLOAT, 0, params.lr());
    block.set(FLOAT, 4, params.momentum());
    block.set(FLOAT, 8, params.weightDecay());
    block.set(INT, 12, params.nesterov() ? 1 : 0);
    block.set(INT, 16, params.step());
    device.upload(block, target, 0);
  }

  @Override
  public void uploadAdam(Adam params, Buffer target) {
    block.set(FLOAT, 0, params.lr());
    block.set(FLOAT, 4, params.beta1());
    block.set(FLOAT, 8, params.beta2());
    block.set(FLOAT, 12, params.epsilon());
    block.set(FLOAT, 16, params.weightDecay());
    block.set(INT, 20, params.decoupled() ? 1 : 0);
    block.set(FLOAT, 24, (float) (1 - Math.pow(params.beta1(), params.step())));
    block.set(FLOAT, 28, (float) Math.sqrt(1 - Math.pow(params.beta2(), params.step())));
    device.upload(block, target, 0);
  }

  @Override
  public void sgdStep(
      Buffer params, DeviceTensor w, DeviceTensor g, DeviceTensor momentum, DeviceMask mask) {
    Shapes.same("sgdStep", w, g);
    Shapes.covers("sgdStep", mask, w);
    if (momentum != null) {
      Shapes.same("sgdStep", w, momentum);
    }
    Abi.check(
        "sgdStep",
        AbiNn.sgdStep(
            device.handle(),
            device.stream(),
            w.size(),
            block(device, "sgdStep", params),
            device.f32("sgdStep", w),
            device.f32("sgdStep", g),
            momentum == null ? 0 : device.f32("sgdStep", momentum),
            device.mask("sgdStep", mask)));
  }

  @Override
  public void adamStep(
      Buffer params, DeviceTensor w, DeviceTensor g, Moments moments, DeviceMask mask) {
    Shapes.same("adamStep", w, g);
    Shapes.same("adamStep", w, moments.m());
    Shapes.same("adamStep", w, moments.v());
    Shapes.covers("adamStep", mask, w);
    Abi.check(
        "adamStep",
        AbiNn.adamStep(
            device.handle(),
            device.stream(),
            w.size(),
            block(device, "adamStep", params),
            device.f32("adamStep", w),
            device.f32("adamStep", g),
            device.f32("adamStep", moments.m()),
            device.f32("adamStep", moments.v()),
            device.mask("adamStep", mask)));
  }

  static long block(NativeDevice device, String op, Buffer params) {
    if (params.byteSize() < OPTIMIZER_BLOCK_BYTES) {
      throw new IllegalArgumentException(
          "%s: a parameter block takes %d bytes, this buffer has %d"
              .formatted(op, OPTIMIZER_BLOCK_BYTES, params.byteSize()));
    }
    return device.address(op, params);
  }

  private static void requireElements(String op, DeviceTensor tensor) {
    if (tensor.size() == 0) {
      throw new IllegalArgumentException(
          "%s: shape %s has no elements, so no mean; leave empty batches out"
              .formatted(op, tensor.shape()));
    }
  }

  private static void checkRank(String op, Shape shape) {
    if (shape.rank() > MAX_RANK) {
      throw new IllegalArgumentException(
          "%s: shape %s has more than %d dimensions; merge some with a view"
              .formatted(op, shape, MAX_RANK));
    }
  }
}
