package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;
import jcuda.cudaDataType;
import jcuda.jcusparse.JCusparse;
import jcuda.jcusparse.cusparseDnMatDescr;
import jcuda.jcusparse.cusparseOperation;
import jcuda.jcusparse.cusparseSpMMAlg;
import jcuda.jcusparse.cusparseSpMatDescr;

/**
 * The product of single weights (CSR). Algorithm CSR_ALG3 with preprocessing: the same bits at
 * every run. The preprocessing is left in the external buffer, so that belongs to this plan alone
 * and lives as long as it: a captured product goes on using it.
 */
final class SparseProduct implements WeightProduct {
  private static final int ALGORITHM = cusparseSpMMAlg.CUSPARSE_SPMM_CSR_ALG3;
  private static final int NOT_TRANSPOSED = cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE;

  private final CudaDevice device;
  private final Cusparse library;
  private final cusparseSpMatDescr matrix;
  private final cusparseDnMatDescr x;
  private final cusparseDnMatDescr y;
  private final Buffer external;

  /** Plans it; x and y are any addresses that the product may later take. */
  SparseProduct(CudaDevice device, Cusparse library, CompressedRows weight, Activations first) {
    this.device = device;
    this.library = library;
    CudaDevice.Cleanup undo = new CudaDevice.Cleanup();
    try {
      device.context().enter();
      matrix = library.csr(weight, weight.values().address());
      undo.add(() -> Cusparse.destroy(matrix));
      x = library.columns(weight.cols(), first.batch(), first.x());
      undo.add(() -> Cusparse.destroy(x));
      y = library.columns(weight.rows(), first.batch(), first.y());
      undo.add(() -> Cusparse.destroy(y));
      external = device.allocate(bufferSize());
      undo.add(external::close);
      preprocess();
    } catch (RuntimeException e) {
      undo.run();
      throw e;
    }
  }

  private long bufferSize() {
    long[] bytes = new long[1];
    library.check(
        "plan a sparse product",
        JCusparse.cusparseSpMM_bufferSize(
            library.handle(),
            NOT_TRANSPOSED,
            NOT_TRANSPOSED,
            library.scalars().alpha,
            matrix.asConst(),
            x.asConst(),
            library.scalars().beta,
            y,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            bytes));
    return bytes[0];
  }

  private void preprocess() {
    device.context().enter();
    library.check(
        "plan a sparse product",
        JCusparse.cusparseSpMM_preprocess(
            library.handle(),
            NOT_TRANSPOSED,
            NOT_TRANSPOSED,
            library.scalars().alpha,
            matrix.asConst(),
            x.asConst(),
            library.scalars().beta,
            y,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            Context.at(external.address())));
  }

  @Override
  public void run(String operation, Activations activations) {
    device.context().enter();
    library.point(x, activations.x());
    library.point(y, activations.y());
    library.check(
        operation,
        JCusparse.cusparseSpMM(
            library.handle(),
            NOT_TRANSPOSED,
            NOT_TRANSPOSED,
            library.scalars().alpha,
            matrix.asConst(),
            x.asConst(),
            library.scalars().beta,
            y,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            Context.at(external.address())));
  }

  @Override
  public void close() {
    Cusparse.destroy(matrix);
    Cusparse.destroy(x);
    Cusparse.destroy(y);
    external.close();
  }
}
