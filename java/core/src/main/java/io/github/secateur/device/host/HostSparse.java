package io.github.secateur.device.host;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiSparse;
import io.github.secateur.device.abi.AbiSparseArguments;
import io.github.secateur.device.abi.SparseShapes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sparse products from the CPU device's packed layout. Products with W are those with the packed
 * Wᵀ; the gradient of the weights is a dense product of which the pattern is kept.
 */
final class HostSparse implements SparseOps {
  private final HostDevice device;
  private final MemorySegment arguments; // structures of a call, never kept between two

  HostSparse(HostDevice device, Arena arena) {
    this.device = device;
    this.arguments = arena.allocate(AbiSparseArguments.BYTES, 64);
  }

  /** A weight matrix: a layout for x · Wᵀ and, when trainable, one for dy · W and the pattern. */
  private static final class Packed implements PackedWeight {
    private final SparseShapes shapes;
    private final Layout forward;
    private final Layout backward; // null when not trainable
    private final DeviceMask pattern; // over the weight as stored; null when not trainable

    Packed(SparseShapes shapes, Layout forward, Layout backward, DeviceMask pattern) {
      this.shapes = shapes;
      this.forward = forward;
      this.backward = backward;
      this.pattern = pattern;
    }

    @Override
    public long out() {
      return shapes.out();
    }

    @Override
    public long in() {
      return shapes.in();
    }

    @Override
    public long nonzeros() {
      return forward.nonzeros;
    }

    @Override
    public long byteSize() {
      return forward.buffer.byteSize()
          + (pattern == null ? 0 : backward.buffer.byteSize() + pattern.words().byteSize());
    }

    @Override
    public SparseFormat format() {
      return forward.format;
    }

    @Override
    public void close() {
      forward.buffer.close();
      if (pattern != null) {
        backward.buffer.close();
        pattern.close();
      }
    }
  }

  /** A packed matrix [out, in]; its buffer is replaced when new values take more room. */
  private static final class Layout {
    private final SparseShapes shapes;
    private final SparseFormat format;
    private Buffer buffer;
    private long nonzeros;

    Layout(SparseShapes shapes, SparseFormat format) {
      this.shapes = shapes;
      this.format = format;
    }
  }

  /** All, of blocks those up to 16 x 16. */
  @Override
  public boolean supports(SparseFormat format) {
    return !(format instanceof SparseFormat.Blocks(int rows, int cols) && (rows > 16 || cols > 16));
  }

  @Override
  public PackedWeight pack(
      DeviceTensor weight, boolean transposed, DeviceMask mask, SparseFormat format) {
    SparseShapes shapes = SparseShapes.of(weight, transposed, mask);
    if (!supports(format)) {
      throw SparseShapes.unsupported(format, "take blocks of 16 x 16 at most");
    }
    return new Packed(shapes, layout(shapes, weight, mask, format), null, null);
  }

  @Override
  public PackedWeight packTrainable(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    SparseShapes shapes = SparseShapes.of(weight, transposed, mask);
    SparseFormat rows = new SparseFormat.Rows();
    Layout forward = layout(shapes, weight, mask, rows);
    try {
      Layout backward = layout(shapes.flipped(), weight, mask, rows);
      try {
        return new Packed(shapes, forward, backward, pattern(weight, mask));
      } catch (RuntimeException e) {
        backward.buffer.close();
        throw e;
      }
    } catch (RuntimeException e) {
      forward.buffer.close();
      throw e;
    }
  }

  private Layout layout(
      SparseShapes shapes, DeviceTensor weight, DeviceMask mask, SparseFormat format) {
    Layout layout = new Layout(shapes, format);
    fill(layout, weight, mask);
    layout.nonzeros = nonzeros(layout.buffer);
    return layout;
  }

  /** Packs the weights; a buffer that is there and large enough is kept. */
  private void fill(Layout layout, DeviceTensor weight, DeviceMask mask) {
    pack(layout, weight, mask, 0);
    long bytes = device.sizes().get(LONG, 0);
    Buffer old = layout.buffer;
    if (old == null || old.byteSize() < bytes) {
      layout.buffer = device.allocate(bytes);
      if (old != null) {
        old.close();
      }
    }
    device.sizes().set(LONG, 0, layout.buffer.byteSize());
    try {
      pack(layout, weight, mask, layout.buffer.address());
    } catch (RuntimeException e) {
      if (old == null) {
        layout.buffer.close();
      }
      throw e;
    }
  }

  private void pack(Layout layout, DeviceTensor weight, DeviceMask mask, long target) {
    AbiSparseArguments.format(arguments, layout.format, false);
    AbiSparseArguments.weight(
        arguments,
        layout.shapes,
        device.f32("sparse pack", weight),
        device.mask("sparse pack", mask));
    Abi.check(
        "sparse pack",
        AbiSparse.pack(
            device.handle(),
            device.stream(),
            arguments.address() + AbiSparseArguments.FORMAT,
            arguments.address() + AbiSparseArguments.WEIGHT,
            target,
            device.sizes().address()));
  }

  private long nonzeros(Buffer packed) {
    long size = device.sizes().address();
    Abi.check(
        "sparse info",
        AbiSparse.info(device.handle(), packed.address(), size, size + 8, size + 16));
    return device.sizes().get(LONG, 16);
  }

  /** The bits of the weights that are stored: kept by the mask and not ±0. */
  private DeviceMask pattern(DeviceTensor weight, DeviceMask mask) {
    long n = weight.size();
    MemorySegment w = Abi.view(device.f32("sparse pack", weight), 4 * n);
    long wordBytes = 4 * ((n + 31) / 32);
    DeviceMask pattern = new DeviceMask(device.allocate(Math.max(4, wordBytes)), weight.shape());
    MemorySegment target = Abi.view(pattern.words().address(), wordBytes);
    MemorySegment kept =
        mask == null ? null : Abi.view(device.mask("sparse pack", mask), wordBytes);
    for (long word = 0; 4 * word < wordBytes; word++) {
      int bits = 0;
      for (int bit = 0; bit < 32 && 32 * word + bit < n; bit++) {
        boolean zero = (w.getAtIndex(INT, 32 * word + bit) & 0x7fffffff) == 0;
        bits |= zero ? 0 : 1 << bit;
      }
      target.setAtIndex(INT, word, kept == null ? bits : bits & kept.getAtIndex(INT, word));
    }
    return pattern;
  }

  @Override
  public void matmul(
      PackedWeight weight, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace) {
    Packed packed = packed("sparse matmul", weight);
    packed.shapes.checkMatmul(x, epilogue.bias(), y);
    multiply("sparse matmul", packed.forward, x, epilogue, y, workspace);
  }

  @Override
  public void inputGradient(
      PackedWeight weight, DeviceTensor dy, DeviceTensor dx, Buffer workspace) {
    Packed packed = trainable("sparse input gradient", weight);
    packed.shapes.checkInputGradient(dy, dx);
    multiply("sparse input gradient", packed.backward, dy, Epilogue.NONE, dx, workspace);
  }

  private void multiply(
      String op, Layout layout, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer scratch) {
    DeviceTensor bias = epilogue.bias();
    AbiSparseArguments.epilogue(arguments, epilogue, bias == null ? 0 : device.f32(op, bias));
    device.sizes().set(LONG, 0, scratch.byteSize());
    Abi.check(
        op,
        AbiSparse.spmm(
            device.handle(),
            device.stream(),
            x.shape().dim(0),
            device.address(op, layout.buffer),
            device.f32(op, x),
            arguments.address() + AbiSparseArguments.EPILOGUE,
            device.f32(op, y),
            device.address(op, scratch),
            device.sizes().address()));
  }

  @Override
  public void weightGradient(
      PackedWeight weight,
      DeviceTensor x,
      DeviceTensor dy,
      DeviceTensor gradient,
      Buffer workspace) {
    Packed packed = trainable("sparse weight gradient", weight);
    packed.shapes.checkWeightGradient(x, dy, gradient);
    device.address("sparse weight gradient", workspace);
    if (packed.shapes.transposed()) {
      device.dense().gemm(Gemm.of(true, false), x, dy, gradient);
    } else {
      device.dense().gemm(Gemm.of(true, false), dy, x, gradient);
    }
    device.prune().applyMask(packed.pattern, gradient);
  }

  @Override
  public void refresh(PackedWeight weight, DeviceTensor values) {
    Packed packed = trainable("sparse refresh", weight);
    packed.shapes.checkStored("sparse refresh", values);
    fill(packed.forward, values, packed.pattern);
    fill(packed.backward, values, packed.pattern);
  }

  @Override
  public long workspaceBytes(PackedWeight weight, long batch) {
    Packed packed = packed("sparse matmul", weight);
    SparseShapes.checkBatch(batch);
    long forward = workspaceBytes(packed.forward, batch);
    return packed.backward == null
        ? forward
        : Math.max(forward, workspaceBytes(packed.backward, batch));
  }

  private long workspaceBytes(Layout layout, long batch) {
    long buffer = device.address("sparse matmul", layout.buffer);
    long size = device.sizes().address();
    Abi.check(
        "sparse matmul",
        AbiSparse.spmm(device.handle(), device.stream(), batch, buffer, 0, 0, 0, 0, size));
    return device.sizes().get(LONG, 0);
  }

  private static Packed packed(String op, PackedWeight weight) {
    if (weight instanceof Packed packed) {
      return packed;
    }
    throw SparseShapes.foreign(op);
  }

  private static Packed trainable(String op, PackedWeight weight) {
    Packed packed = packed(op, weight);
    if (packed.pattern == null) {
      throw SparseShapes.notTrainable(op);
    }
    return packed;
  }
}
