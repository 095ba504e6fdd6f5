package io.github.secateur.cuda.device;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import java.lang.foreign.Arena;
import jcuda.cudaDataType;
import jcuda.driver.JCudaDriver;
import jcuda.jcusparse.JCusparse;
import jcuda.jcusparse.cusparseDnMatDescr;
import jcuda.jcusparse.cusparseHandle;
import jcuda.jcusparse.cusparseIndexBase;
import jcuda.jcusparse.cusparseIndexType;
import jcuda.jcusparse.cusparseOrder;
import jcuda.jcusparse.cusparseSpMatDescr;
import jcuda.jcusparse.cusparseStatus;
import jcuda.runtime.cudaStream_t;

/** The cuSPARSE library on the device's stream: its handle, its descriptors, its statuses. */
final class Cusparse {
  private static final int INSUFFICIENT_RESOURCES = 11;

  private final CudaDevice device;
  private final Handle handle = new Handle();
  private final Scalars scalars;

  /** A handle that tells its address. */
  private static final class Handle extends cusparseHandle {
    long address() {
      return getNativePointer();
    }
  }

  Cusparse(CudaDevice device, Arena arena) {
    this.device = device;
    this.scalars = new Scalars(arena);
    scalars.set(1, 0); // every product here overwrites its result
    device.context().enter();
    check("create cuSPARSE", JCusparse.cusparseCreate(handle));
    try {
      check(
          "set the stream of cuSPARSE",
          JCusparse.cusparseSetStream(handle, new cudaStream_t(device.context().stream())));
    } catch (RuntimeException e) {
      JCusparse.cusparseDestroy(handle);
      throw e;
    }
  }

  cusparseHandle handle() {
    return handle;
  }

  /** Its address, for functions that JCuda lacks. */
  long handleAddress() {
    return handle.address();
  }

  /** alpha = 1 and beta = 0. */
  Scalars scalars() {
    return scalars;
  }

  /** Describes a weight with values of its own or others in the same places. */
  cusparseSpMatDescr csr(CompressedRows weight, long values) {
    cusparseSpMatDescr matrix = new cusparseSpMatDescr();
    check(
        "describe a sparse weight",
        JCusparse.cusparseCreateCsr(
            matrix,
            weight.rows(),
            weight.cols(),
            weight.nonzeros(),
            Context.at(weight.offsets().address()),
            Context.at(weight.columns().address()),
            Context.at(values),
            cusparseIndexType.CUSPARSE_INDEX_32I,
            cusparseIndexType.CUSPARSE_INDEX_32I,
            cusparseIndexBase.CUSPARSE_INDEX_BASE_ZERO,
            cudaDataType.CUDA_R_32F));
    return matrix;
  }

  /** Describes activations [batch, width] as the column-major [width, batch] that they are. */
  cusparseDnMatDescr columns(long width, long batch, long address) {
    cusparseDnMatDescr matrix = new cusparseDnMatDescr();
    check(
        "describe activations",
        JCusparse.cusparseCreateDnMat(
            matrix,
            width,
            batch,
            width,
            Context.at(address),
            cudaDataType.CUDA_R_32F,
            cusparseOrder.CUSPARSE_ORDER_COL));
    return matrix;
  }

  void point(cusparseDnMatDescr matrix, long address) {
    check("describe activations", JCusparse.cusparseDnMatSetValues(matrix, Context.at(address)));
  }

  static void destroy(cusparseDnMatDescr matrix) {
    JCusparse.cusparseDestroyDnMat(matrix.asConst());
  }

  static void destroy(cusparseSpMatDescr matrix) {
    JCusparse.cusparseDestroySpMat(matrix.asConst());
  }

  void check(String operation, int status) {
    if (status == cusparseStatus.CUSPARSE_STATUS_SUCCESS) {
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
        status == INSUFFICIENT_RESOURCES ? Status.OUT_OF_MEMORY : Status.INTERNAL,
        "cuSPARSE answered " + cusparseStatus.stringFor(status));
  }

  /** Destroys the handle; on a lost device the answer does not matter. */
  void close() {
    if (!device.context().isLost()) {
      device.context().enter();
    }
    JCusparse.cusparseDestroy(handle);
  }
}
