package io.github.secateur.cuda.device;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import io.github.secateur.device.abi.Abi;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import jcuda.cudaDataType;
import jcuda.jcusparse.cusparseIndexBase;
import jcuda.jcusparse.cusparseIndexType;
import jcuda.jcusparse.cusparseOperation;
import jcuda.jcusparse.cusparseOrder;

/**
 * What JCuda lacks of cuSPARSE: products of matrices of square blocks (BSR). Its descriptors take
 * no raw pointer, so all that such a product needs is bound here, in the library that the device
 * has open, and works on the device's own handle. Descriptors are addresses.
 */
@SuppressWarnings("restricted")
final class CusparseBlocks {
  /** Of cusparseSpMM; needs no storage, takes M as it is, gives the same bits at every run. */
  private static final int ALGORITHM = 14; // CUSPARSE_SPMM_BSR_ALG1

  private static final int NOT_TRANSPOSED = cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE;
  private static final int F32 = cudaDataType.CUDA_R_32F;
  private static final String PLAN = "plan a product of blocks";
  private static final int NOT_SUPPORTED = 10;
  private static final String CURE =
      "install cuSPARSE 12.5.1 or later (pip install nvidia-cusparse-cu12), or pack single weights";

  private final Cusparse library;
  private final MethodHandle createBsr;
  private final MethodHandle createDnMat;
  private final MethodHandle setValues;
  private final MethodHandle bufferSize;
  private final MethodHandle multiply;
  private final MethodHandle destroySpMat;
  private final MethodHandle destroyDnMat;

  /** Descriptors of M and of the columns X and Y in Y = M · X. */
  record Operands(long matrix, long x, long y) {}

  CusparseBlocks(Cusparse library, SymbolLookup symbols) {
    this.library = library;
    createBsr =
        bind(
            symbols,
            "cusparseCreateBsr",
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            INT,
            INT,
            INT,
            INT,
            INT);
    createDnMat = bind(symbols, "cusparseCreateDnMat", LONG, LONG, LONG, LONG, LONG, INT, INT);
    setValues = bind(symbols, "cusparseDnMatSetValues", LONG, LONG);
    bufferSize =
        bind(
            symbols,
            "cusparseSpMM_bufferSize",
            LONG,
            INT,
            INT,
            LONG,
            LONG,
            LONG,
            LONG,
            LONG,
            INT,
            INT,
            LONG);
    multiply =
        bind(symbols, "cusparseSpMM", LONG, INT, INT, LONG, LONG, LONG, LONG, LONG, INT, INT, LONG);
    destroySpMat = bind(symbols, "cusparseDestroySpMat", LONG);
    destroyDnMat = bind(symbols, "cusparseDestroyDnMat", LONG);
  }

  private static MethodHandle bind(SymbolLookup symbols, String name, MemoryLayout... arguments) {
    MemorySegment symbol =
        symbols
            .find(name)
            .orElseThrow(
                () ->
                    new DeviceException(
                        "sparse pack",
                        Status.UNAVAILABLE,
                        "libcusparse.so.12 lacks %s, which blocks need; %s".formatted(name, CURE)));
    return Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.of(INT, arguments));
  }

  /** Describes a weight of row-major blocks. */
  long matrix(CompressedRows weight) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(LONG);
      int block = weight.block();
      library.check(
          "describe a weight of blocks",
          status(
              () ->
                  (int)
                      createBsr.invokeExact(
                          made.address(),
                          weight.rows() / block,
                          weight.cols() / block,
                          weight.blocks(),
                          (long) block,
                          (long) block,
                          weight.offsets().address(),
                          weight.columns().address(),
                          weight.values().address(),
                          cusparseIndexType.CUSPARSE_INDEX_32I,
                          cusparseIndexType.CUSPARSE_INDEX_32I,
                          cusparseIndexBase.CUSPARSE_INDEX_BASE_ZERO,
                          F32,
                          cusparseOrder.CUSPARSE_ORDER_ROW)));
      return made.get(LONG, 0);
    }
  }

  /** Describes activations [batch, width] as the column-major [width, batch] that they are. */
  long columns(long width, long batch, long address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(LONG);
      library.check(
          "describe activations",
          status(
              () ->
                  (int)
                      createDnMat.invokeExact(
                          made.address(),
                          width,
                          batch,
                          width,
                          address,
                          F32,
                          cusparseOrder.CUSPARSE_ORDER_COL)));
      return made.get(LONG, 0);
    }
  }

  void point(long columns, long address) {
    library.check(
        "describe activations", status(() -> (int) setValues.invokeExact(columns, address)));
  }

  /** Bytes of the buffer that a product needs; this is where the library refuses one. */
  long bufferSize(Operands operands) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(LONG);
      int status =
          status(
              () ->
                  (int)
                      bufferSize.invokeExact(
                          library.handleAddress(),
                          NOT_TRANSPOSED,
                          NOT_TRANSPOSED,
                          library.scalars().alphaAddress(),
                          operands.matrix(),
                          operands.x(),
                          library.scalars().betaAddress(),
                          operands.y(),
                          F32,
                          ALGORITHM,
                          bytes.address()));
      if (status == NOT_SUPPORTED) {
        throw new DeviceException(
            PLAN, Status.UNAVAILABLE, "cuSPARSE answered CUSPARSE_STATUS_NOT_SUPPORTED; " + CURE);
      }
      library.check(PLAN, status);
      return bytes.get(LONG, 0);
    }
  }

  void multiply(String operation, Operands operands, long buffer) {
    library.check(
        operation,
        status(
            () ->
                (int)
                    multiply.invokeExact(
                        library.handleAddress(),
                        NOT_TRANSPOSED,
                        NOT_TRANSPOSED,
                        library.scalars().alphaAddress(),
                        operands.matrix(),
                        operands.x(),
                        library.scalars().betaAddress(),
                        operands.y(),
                        F32,
                        ALGORITHM,
                        buffer)));
  }

  void destroyMatrix(long matrix) {
    status(() -> (int) destroySpMat.invokeExact(matrix));
  }

  void destroyColumns(long columns) {
    status(() -> (int) destroyDnMat.invokeExact(columns));
  }

  /** A call of the library. */
  private interface Call {
    int status() throws Throwable;
  }

  private static int status(Call call) {
    try {
      return call.status();
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
