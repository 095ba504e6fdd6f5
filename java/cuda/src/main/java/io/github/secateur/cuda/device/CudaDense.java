package io.github.secateur.cuda.device;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.abi.Shapes;
import java.lang.foreign.Arena;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/**
 * Dense products by cuBLAS. It thinks in columns: what it sees of a row-major C [m, n] is Cᵀ, and
 * Cᵀ = op(B)ᵀ · op(A)ᵀ, so the factors change places and nothing is transposed.
 *
 * <p>Factors stay F32 unless the option TF32 is on. The workspace is ours: with cuBLAS's own, a
 * captured product would allocate.
 */
final class CudaDense implements DenseOps {
  /** What cuBLAS takes for itself on Hopper; more than it asks for elsewhere. */
  private static final long WORKSPACE = 32L << 20;

  private final CudaDevice device;
  private final cublasHandle handle = new cublasHandle();
  private final Scalars scalars;
  private final long workspace;

  CudaDense(CudaDevice device, boolean tf32, Arena arena) {
    this.device = device;
    this.scalars = new Scalars(arena);
    Context context = device.context();
    context.enter();
    check("create cuBLAS", JCublas2.cublasCreate(handle));
    long block = 0;
    try {
      block = device.allocateRaw(WORKSPACE);
      check(
          "set the stream of cuBLAS",
          JCublas2.cublasSetStream(handle, new cudaStream_t(context.stream())));
      // After the stream: setting that one takes the workspace away.
      check(
          "set the workspace of cuBLAS",
          JCublas2.cublasSetWorkspace(handle, Context.at(block), WORKSPACE));
      check(
          "set the precision of cuBLAS",
          JCublas2.cublasSetMathMode(
              handle,
              tf32 ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH : cublasMath.CUBLAS_PEDANTIC_MATH));
    } catch (RuntimeException e) {
      JCublas2.cublasDestroy(handle);
      if (block != 0) {
        device.freeRaw(block, WORKSPACE);
      }
      throw e;
    }
    workspace = block;
  }

  @Override
  public void gemm(Gemm gemm, DeviceTensor a, DeviceTensor b, DeviceTensor c) {
    Shapes.Product p = Shapes.product(gemm, a, b, c);
    if (p.m() == 0 || p.n() == 0) {
      return;
    }
    device.handle(); // open
    device.context().enter();
    scalars.set(gemm.alpha(), gemm.beta());
    check(
        "gemm",
        JCublas2.cublasSgemm(
            handle,
            operation(gemm.transposeB()),
            operation(gemm.transposeA()),
            extent(p.n()),
            extent(p.m()),
            extent(p.k()),
            scalars.alpha,
            Context.at(device.f32("gemm", b)),
            extent(Math.max(1, b.shape().dim(1))),
            Context.at(device.f32("gemm", a)),
            extent(Math.max(1, a.shape().dim(1))),
            scalars.beta,
            Context.at(device.f32("gemm", c)),
            extent(p.n())),
        p);
  }

  /**
   * Where the matrices of a batch lie, F32, row-major.
   *
   * @param address of the first
   * @param line elements from a row to the next
   * @param stride elements from a matrix to the next; 0 for one that all share
   */
  record Matrices(long address, long line, long stride) {}

  /** Products of one shape. */
  record Batch(Shapes.Product product, long count) {}

  /** {@link #gemm} for each matrix of a batch, in one launch; the C may not overlap. */
  void batched(Gemm gemm, Batch batch, Matrices a, Matrices b, Matrices c) {
    Shapes.Product p = batch.product();
    if (p.m() == 0 || p.n() == 0 || batch.count() == 0) {
      return;
    }
    device.handle(); // open
    device.context().enter();
    scalars.set(gemm.alpha(), gemm.beta());
    check(
        "batched gemm",
        JCublas2.cublasSgemmStridedBatched(
            handle,
            operation(gemm.transposeB()),
            operation(gemm.transposeA()),
            extent(p.n()),
            extent(p.m()),
            extent(p.k()),
            scalars.alpha,
            Context.at(b.address()),
            extent(b.line()),
            b.stride(),
            Context.at(a.address()),
            extent(a.line()),
            a.stride(),
            scalars.beta,
            Context.at(c.address()),
            extent(c.line()),
            c.stride(),
            extent(batch.count())),
        p);
  }

  private static int operation(boolean transpose) {
    return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }

  private static int extent(long extent) {
    if (extent > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "gemm: an extent of %d is more than cuBLAS takes (2^31 - 1); split the matrix"
              .formatted(extent));
    }
    return (int) extent;
  }

  private void check(String operation, int status) {
    check(operation, status, null);
  }

  private void check(String operation, int status, Shapes.Product product) {
    if (status == cublasStatus.CUBLAS_STATUS_SUCCESS) {
      return;
    }
    if (!device.isRecording()) {
      // A fault of the context outranks what the library made of it.
      int driver = JCudaDriver.cuStreamQuery(device.context().stream());
      if (driver != 0
          && device.context().failure(operation, driver).status() == Status.DEVICE_LOST) {
        device.context().enter();
      }
    }
    throw new DeviceException(
        operation,
        status == cublasStatus.CUBLAS_STATUS_ALLOC_FAILED ? Status.OUT_OF_MEMORY : Status.INTERNAL,
        "cuBLAS answered %s%s"
            .formatted(cublasStatus.stringFor(status), product == null ? "" : " for " + product));
  }

  /** Destroys the handle; on a lost device the answer does not matter. */
  void close() {
    Context context = device.context();
    if (!context.isLost()) {
      context.enter();
    }
    int status = JCublas2.cublasDestroy(handle);
    device.freeRaw(workspace, WORKSPACE);
    if (!context.isLost()) {
      check("destroy cuBLAS", status);
    }
  }
}
