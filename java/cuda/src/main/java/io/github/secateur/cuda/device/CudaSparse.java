package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.NnOps.Binary;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.UnrolledFilters;
import io.github.secateur.device.abi.SparseShapes;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.Map;

/**
 * Sparse products by cuSPARSE: y = x · Wᵀ from CSR(W) or BSR(W), dx = dy · W from a stored CSR(Wᵀ)
 * (never a transposed sparse operand), and the gradient of W sampled where weights live. Plans are
 * laid at the first product of a weight with a batch size, and kept with the weight.
 */
final class CudaSparse implements SparseOps {
  private final CudaDevice device;
  private final Cusparse library;
  private CusparseBlocks blocks; // bound when first needed

  CudaSparse(CudaDevice device, Arena arena) {
    this.device = device;
    this.library = new Cusparse(device, arena);
  }

  /** A compressed weight and the plans of its products, by batch size. */
  private static final class Packed implements PackedWeight {
    private final SparseShapes shapes;
    private final CompressedRows forward;
    private final CompressedRows backward; // null when not trainable
    private final Map<Long, WeightProduct> products = new HashMap<>();
    private final Map<Long, WeightProduct> inputGradients = new HashMap<>();
    private final Map<Long, SampledProduct> weightGradients = new HashMap<>();

    Packed(SparseShapes shapes, CompressedRows forward, CompressedRows backward) {
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
      return forward.nonzeros();
    }

    @Override
    public long byteSize() {
      return forward.byteSize() + (backward == null ? 0 : backward.byteSize());
    }

    @Override
    public SparseFormat format() {
      int block = forward.block();
      return block == 1 ? new SparseFormat.Rows() : new SparseFormat.Blocks(block, block);
    }

    @Override
    public void close() {
      products.values().forEach(WeightProduct::close);
      inputGradients.values().forEach(WeightProduct::close);
      weightGradients.values().forEach(SampledProduct::close);
      products.clear();
      inputGradients.clear();
      weightGradients.clear();
      forward.close();
      if (backward != null) {
        backward.close();
      }
    }
  }

  /** CSR, and BSR of square blocks. */
  @Override
  public boolean supports(SparseFormat format) {
    return switch (format) {
      case SparseFormat.Rows() -> true;
      case SparseFormat.Blocks(int rows, int cols) -> rows == cols;
      case SparseFormat.Gather() -> false;
      case SparseFormat.NM(int n, int m) -> false;
    };
  }

  @Override
  public PackedWeight pack(
      DeviceTensor weight, boolean transposed, DeviceMask mask, SparseFormat format) {
    SparseShapes shapes = SparseShapes.of(weight, transposed, mask);
    if (!supports(format)) {
      throw SparseShapes.unsupported(format, "cuSPARSE takes csr and square blocks");
    }
    if (format instanceof SparseFormat.Blocks(int block, int same)) {
      shapes.checkBlocks(block);
      blocks(); // a library that knows no blocks says so here
      var layout = new CompressedRows.Layout(shapes, false, block, false);
      return new Packed(shapes, new CompressedRows(device, layout, weight, mask), null);
    }
    var layout = new CompressedRows.Layout(shapes, false, 1, false);
    return new Packed(shapes, new CompressedRows(device, layout, weight, mask), null);
  }

  @Override
  public PackedWeight packTrainable(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    SparseShapes shapes = SparseShapes.of(weight, transposed, mask);
    CompressedRows forward = trainable(shapes, false, weight, mask);
    try {
      return new Packed(shapes, forward, trainable(shapes, true, weight, mask));
    } catch (RuntimeException e) {
      forward.close();
      throw e;
    }
  }

  private CompressedRows trainable(
      SparseShapes shapes, boolean byInput, DeviceTensor weight, DeviceMask mask) {
    var layout = new CompressedRows.Layout(shapes, byInput, 1, true);
    return new CompressedRows(device, layout, weight, mask);
  }

  private CusparseBlocks blocks() {
    if (blocks == null) {
      blocks = new CusparseBlocks(library, device.context().libraries().cusparse());
    }
    return blocks;
  }

  @Override
  public void matmul(
      PackedWeight weight, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace) {
    String op = "sparse matmul";
    Packed packed = packed(op, weight);
    DeviceTensor bias = epilogue.bias();
    packed.shapes.checkMatmul(x, bias, y);
    device.address(op, workspace);
    multiply(op, packed.forward, packed.products, x, y);
    if (bias != null) {
      device.nn().binary(Binary.ADD, y, bias.view(Shape.of(packed.out())), y);
    }
    if (epilogue.activation() != null) {
      device.nn().unary(epilogue.activation(), epilogue.alpha(), y, y);
    }
  }

  @Override
  public void inputGradient(
      PackedWeight weight, DeviceTensor dy, DeviceTensor dx, Buffer workspace) {
    String op = "sparse input gradient";
    Packed packed = trainable(op, weight);
    packed.shapes.checkInputGradient(dy, dx);
    device.address(op, workspace);
    multiply(op, packed.backward, packed.inputGradients, dy, dx);
  }

  /** to [batch, rows] = from [batch, cols] · Mᵀ. */
  private void multiply(
      String op,
      CompressedRows weight,
      Map<Long, WeightProduct> plans,
      DeviceTensor from,
      DeviceTensor to) {
    long batch = from.shape().dim(0);
    long x = device.f32(op, from);
    long y = device.f32(op, to);
    if (weight.nonzeros() == 0 || batch == 0) {
      device.zero(to.buffer(), to.byteOffset(), 4 * to.size());
      return;
    }
    var activations = new WeightProduct.Activations(batch, x, y);
    WeightProduct plan = plans.get(batch);
    if (plan == null) {
      plan =
          weight.block() == 1
              ? new SparseProduct(device, library, weight, activations)
              : new BlockProduct(device, blocks(), weight, activations);
      plans.put(batch, plan);
    }
    plan.run(op, activations);
  }

  @Override
  public void weightGradient(
      PackedWeight weight,
      DeviceTensor x,
      DeviceTensor dy,
      DeviceTensor gradient,
      Buffer workspace) {
    String op = "sparse weight gradient";
    device.address(op, workspace);
    Packed packed = trainable(op, weight);
    packed.shapes.checkWeightGradient(x, dy, gradient);
    long batch = x.shape().dim(0);
    var gradients = new SampledProduct.Gradients(batch, device.f32(op, dy), device.f32(op, x));
    if (packed.nonzeros() == 0 || batch == 0) {
      device.zero(gradient.buffer(), gradient.byteOffset(), 4 * gradient.size());
      return;
    }
    SampledProduct plan = packed.weightGradients.get(batch);
    if (plan == null) {
      plan = new SampledProduct(device, library, packed.forward, gradients);
      packed.weightGradients.put(batch, plan);
    }
    packed.forward.scatter(plan.run(gradients), gradient);
  }

  @Override
  public void refresh(PackedWeight weight, DeviceTensor values) {
    Packed packed = trainable("sparse refresh", weight);
    packed.shapes.checkStored("sparse refresh", values);
    packed.forward.refresh(values);
    packed.backward.refresh(values);
  }

  /** Unrolled: cuSPARSE multiplies matrices. */
  @Override
  public PackedFilters packFilters(
      ImageOps.Convolution convolution, Shape images, DeviceTensor weight, DeviceMask mask) {
    return UnrolledFilters.pack(device, convolution, images, weight, mask);
  }

  @Override
  public void convolve(
      PackedFilters filters, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace) {
    if (!(filters instanceof UnrolledFilters unrolled)) {
      throw SparseShapes.foreign("sparse convolve");
    }
    unrolled.convolve(x, epilogue, y, workspace);
  }

  /** None: plans own their buffers, because captured products go on using them. */
  @Override
  public long workspaceBytes(PackedWeight weight, long batch) {
    packed("sparse matmul", weight);
    SparseShapes.checkBatch(batch);
    return 0;
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

  void close() {
    library.close();
  }
}
