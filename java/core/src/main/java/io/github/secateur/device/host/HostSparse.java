package io.github.secateur.device.host;

import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiSparse;
import io.github.secateur.device.abi.AbiSparseArguments;
import io.github.secateur.device.abi.ImageShapes;
import io.github.secateur.device.abi.Shapes;
import io.github.secateur.device.abi.SparseShapes;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Sparse products from the CPU device's packed layouts. Products with W are those with the packed
 * Wᵀ; the gradient of the weights is sampled at what the packed W stores.
 */
final class HostSparse implements SparseOps {
  private final HostDevice device;
  private final MemorySegment arguments; // structures of a call, never kept between two
  private final MemorySegment convolution; // the same

  HostSparse(HostDevice device, Arena arena) {
    this.device = device;
    this.arguments = arena.allocate(AbiSparseArguments.BYTES, 64);
    this.convolution = arena.allocate(ImageShapes.BYTES, 64);
  }

  /** A weight matrix: a layout for x · Wᵀ and, when trainable, one for dy · W. */
  private static final class Packed implements PackedWeight {
    private final SparseShapes shapes;
    private final Layout forward;
    private final Layout backward; // null when not trainable

    Packed(SparseShapes shapes, Layout forward, Layout backward) {
      this.shapes = shapes;
      this.forward = forward;
      this.backward = backward;
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
      return forward.buffer.byteSize() + (backward == null ? 0 : backward.buffer.byteSize());
    }

    @Override
    public SparseFormat format() {
      return forward.format;
    }

    @Override
    public void close() {
      forward.buffer.close();
      if (backward != null) {
        backward.buffer.close();
      }
    }
  }

  /** A packed matrix [out, in]. */
  private record Layout(SparseFormat format, Buffer buffer, long nonzeros) {}

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
    return new Packed(shapes, layout(shapes, weight, mask, format, false), null);
  }

  @Override
  public PackedWeight packTrainable(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    SparseShapes shapes = SparseShapes.of(weight, transposed, mask);
    SparseFormat rows = new SparseFormat.Rows();
    Layout forward = layout(shapes, weight, mask, rows, true);
    try {
      return new Packed(shapes, forward, layout(shapes.flipped(), weight, mask, rows, true));
    } catch (RuntimeException e) {
      forward.buffer.close();
      throw e;
    }
  }

  private Layout layout(
      SparseShapes shapes,
      DeviceTensor weight,
      DeviceMask mask,
      SparseFormat format,
      boolean trainable) {
    AbiSparseArguments.format(arguments, format, trainable);
    AbiSparseArguments.weight(
        arguments, shapes, device.f32("sparse pack", weight), device.mask("sparse pack", mask));
    pack(0);
    Buffer buffer = device.allocate(device.sizes().get(LONG, 0));
    try {
      pack(buffer.address());
      return new Layout(format, buffer, nonzeros(buffer));
    } catch (RuntimeException e) {
      buffer.close();
      throw e;
    }
  }

  /** Packs the weight among the arguments, or asks for the size when the target is 0. */
  private void pack(long target) {
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
    String op = "sparse weight gradient";
    Packed packed = trainable(op, weight);
    packed.shapes.checkWeightGradient(x, dy, gradient);
    device.sizes().set(LONG, 0, workspace.byteSize());
    Abi.check(
        op,
        AbiSparse.sddmm(
            device.handle(),
            device.stream(),
            x.shape().dim(0),
            device.address(op, packed.forward.buffer),
            device.f32(op, x),
            device.f32(op, dy),
            device.f32(op, gradient),
            device.address(op, workspace),
            device.sizes().address()));
  }

  @Override
  public void refresh(PackedWeight weight, DeviceTensor values) {
    String op = "sparse refresh";
    Packed packed = trainable(op, weight);
    packed.shapes.checkStored(op, values);
    for (Layout layout : List.of(packed.forward, packed.backward)) {
      Abi.check(
          op,
          AbiSparse.refresh(
              device.handle(),
              device.stream(),
              device.f32(op, values),
              device.address(op, layout.buffer)));
    }
  }

  @Override
  public long workspaceBytes(PackedWeight weight, long batch) {
    Packed packed = packed("sparse matmul", weight);
    SparseShapes.checkBatch(batch);
    long forward = productBytes(packed.forward, batch);
    return packed.backward == null
        ? forward
        : LongStream.of(
                forward, productBytes(packed.backward, batch), gradientBytes(packed.forward, batch))
            .max()
            .getAsLong();
  }

  private long productBytes(Layout layout, long batch) {
    long buffer = device.address("sparse matmul", layout.buffer);
    long size = device.sizes().address();
    Abi.check(
        "sparse matmul",
        AbiSparse.spmm(device.handle(), device.stream(), batch, buffer, 0, 0, 0, 0, size));
    return device.sizes().get(LONG, 0);
  }

  private long gradientBytes(Layout layout, long batch) {
    long buffer = device.address("sparse weight gradient", layout.buffer);
    long size = device.sizes().address();
    Abi.check(
        "sparse weight gradient",
        AbiSparse.sddmm(device.handle(), device.stream(), batch, buffer, 0, 0, 0, 0, size));
    return device.sizes().get(LONG, 0);
  }

  /** Filters laid out for {@code secateur_sparse_convolve}. */
  private record Filters(
      Shape images, Shape results, long in, Buffer buffer, long nonzeros, long workspaceBytes)
      implements PackedFilters {
    @Override
    public long out() {
      return results.dim(1);
    }

    @Override
    public long byteSize() {
      return buffer.byteSize();
    }

    @Override
    public SparseFormat format() {
      return new SparseFormat.Rows();
    }

    @Override
    public void close() {
      buffer.close();
    }
  }

  @Override
  public PackedFilters packFilters(
      ImageOps.Convolution geometry, Shape images, DeviceTensor weight, DeviceMask mask) {
    String op = "pack filters";
    Shape w = weight.shape();
    if (mask != null && !mask.shape().equals(w)) {
      throw new IllegalArgumentException(
          "%s: the mask is over %s, the weight has %s".formatted(op, mask.shape(), w));
    }
    ImageShapes.convolution(convolution, geometry, images, w, null);
    Shape results = ImageShapes.output(op, geometry.window(), images, w.dim(0));
    packFilters(weight, mask, 0);
    Buffer buffer = device.allocate(device.sizes().get(LONG, 0));
    try {
      packFilters(weight, mask, buffer.address());
      Abi.check(
          op,
          AbiSparse.convolve(
              device.handle(),
              device.stream(),
              images.dim(0),
              buffer.address(),
              0,
              0,
              0,
              0,
              device.sizes().address()));
      long workspace = device.sizes().get(LONG, 0);
      return new Filters(images, results, w.size() / w.dim(0), buffer, nonzeros(buffer), workspace);
    } catch (RuntimeException e) {
      buffer.close();
      throw e;
    }
  }

  /** Packs filters, or asks for the size when the target is 0. */
  private void packFilters(DeviceTensor weight, DeviceMask mask, long target) {
    Abi.check(
        "pack filters",
        AbiSparse.packFilters(
            device.handle(),
            device.stream(),
            convolution.address(),
            device.f32("pack filters", weight),
            device.mask("pack filters", mask),
            target,
            device.sizes().address()));
  }

  @Override
  public void convolve(
      PackedFilters packed, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace) {
    String op = "sparse convolve";
    if (!(packed instanceof Filters filters)) {
      throw SparseShapes.foreign(op);
    }
    if (!x.shape().equals(filters.images) || !y.shape().equals(filters.results)) {
      throw new IllegalArgumentException(
          "%s: filters packed for images %s to %s cannot convolve %s to %s"
              .formatted(op, filters.images, filters.results, x.shape(), y.shape()));
    }
    DeviceTensor bias = epilogue.bias();
    if (bias != null) {
      Shapes.vector(op + ": bias", bias, filters.out(), "output");
    }
    AbiSparseArguments.epilogue(arguments, epilogue, bias == null ? 0 : device.f32(op, bias));
    device.sizes().set(LONG, 0, workspace.byteSize());
    Abi.check(
        op,
        AbiSparse.convolve(
            device.handle(),
            device.stream(),
            x.shape().dim(0),
            device.address(op, filters.buffer),
            device.f32(op, x),
            arguments.address() + AbiSparseArguments.EPILOGUE,
            device.f32(op, y),
            device.address(op, workspace),
            device.sizes().address()));
  }

  private static Packed packed(String op, PackedWeight weight) {
    if (weight instanceof Packed packed) {
      return packed;
    }
    throw SparseShapes.foreign(op);
  }

  private static Packed trainable(String op, PackedWeight weight) {
    Packed packed = packed(op, weight);
    if (packed.backward == null) {
      throw SparseShapes.notTrainable(op);
    }
    return packed;
  }
}
