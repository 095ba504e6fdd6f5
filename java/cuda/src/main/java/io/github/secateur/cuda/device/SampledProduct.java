package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;
import jcuda.cudaDataType;
import jcuda.jcusparse.JCusparse;
import jcuda.jcusparse.cusparseDnMatDescr;
import jcuda.jcusparse.cusparseOperation;
import jcuda.jcusparse.cusparseSDDMMAlg;
import jcuda.jcusparse.cusparseSpMatDescr;

/**
 * One planned sampled product (SDDMM): values of dyᵀ · x [out, in], dy [batch, out], x [batch, in],
 * at the stored places of a weight and nowhere else. In cuSPARSE's columns dyᵀ is what it sees of
 * dy and x is the transpose of what it sees.
 */
final class SampledProduct implements AutoCloseable {
  private static final int ALGORITHM = cusparseSDDMMAlg.CUSPARSE_SDDMM_ALG_DEFAULT;
  private static final int PLAIN = cusparseOperation.CUSPARSE_OPERATION_NON_TRANSPOSE;
  private static final int TRANSPOSED = cusparseOperation.CUSPARSE_OPERATION_TRANSPOSE;

  private final CudaDevice device;
  private final Cusparse library;
  private final cusparseDnMatDescr dy;
  private final cusparseDnMatDescr x;
  private final cusparseSpMatDescr sampled;
  private final Buffer values;
  private final Buffer external;

  /** Plans it for a batch size; dy and x are any addresses that it may later take. */
  SampledProduct(CudaDevice device, Cusparse library, CompressedRows weight, Gradients first) {
    this.device = device;
    this.library = library;
    CudaDevice.Cleanup undo = new CudaDevice.Cleanup();
    try {
      values = device.allocate(4 * weight.nonzeros());
      undo.add(values::close);
      device.context().enter();
      dy = library.columns(weight.rows(), first.batch(), first.dy());
      undo.add(() -> Cusparse.destroy(dy));
      x = library.columns(weight.cols(), first.batch(), first.x());
      undo.add(() -> Cusparse.destroy(x));
      sampled = library.csr(weight, values.address());
      undo.add(() -> Cusparse.destroy(sampled));
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
        "plan a sampled product",
        JCusparse.cusparseSDDMM_bufferSize(
            library.handle(),
            PLAIN,
            TRANSPOSED,
            library.scalars().alpha,
            dy.asConst(),
            x.asConst(),
            library.scalars().beta,
            sampled,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            bytes));
    return bytes[0];
  }

  private void preprocess() {
    device.context().enter();
    library.check(
        "plan a sampled product",
        JCusparse.cusparseSDDMM_preprocess(
            library.handle(),
            PLAIN,
            TRANSPOSED,
            library.scalars().alpha,
            dy.asConst(),
            x.asConst(),
            library.scalars().beta,
            sampled,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            Context.at(external.address())));
  }

  /** Addresses of the factors of one product. */
  record Gradients(long batch, long dy, long x) {}

  /** Computes the values; they stay until the next call. */
  Buffer run(Gradients gradients) {
    device.context().enter();
    library.point(dy, gradients.dy());
    library.point(x, gradients.x());
    library.check(
        "sparse weight gradient",
        JCusparse.cusparseSDDMM(
            library.handle(),
            PLAIN,
            TRANSPOSED,
            library.scalars().alpha,
            dy.asConst(),
            x.asConst(),
            library.scalars().beta,
            sampled,
            cudaDataType.CUDA_R_32F,
            ALGORITHM,
            Context.at(external.address())));
    return values;
  }

  @Override
  public void close() {
    Cusparse.destroy(dy);
    Cusparse.destroy(x);
    Cusparse.destroy(sampled);
    values.close();
    external.close();
  }
}
