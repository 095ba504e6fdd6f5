package io.github.secateur.device;

/** Products of a sparse weight matrix with dense activations, F32. */
public interface SparseOps {
  /** A weight matrix packed for this device; whoever packed it closes it. */
  interface PackedWeight extends AutoCloseable {
    /** Rows of the logical W [out, in]. */
    long out();

    /** Columns of the logical W [out, in]. */
    long in();

    /** Stored elements. */
    long nonzeros();

    /** Bytes it takes on the device. */
    long byteSize();

    /** Name of the layout for reports, such as {@code panel-csr}. */
    String layout();

    @Override
    void close();
  }

  /**
   * Packs W [out, in]. Elements equal to ±0 are left out, and so are masked ones whatever they
   * hold.
   *
   * @param weight rank 2; [out, in], or [in, out] when {@code transposed}
   * @param transposed whether it is stored input-major (ONNX MatMul, Gemm with transB = 0)
   * @param mask over {@code weight} as stored, or null
   */
  PackedWeight pack(DeviceTensor weight, boolean transposed, DeviceMask mask);

  /**
   * y = x · Wᵀ + bias.
   *
   * @param x [batch, in]
   * @param bias [out], or null
   * @param y [batch, out]
   * @param workspace at least {@link #workspaceBytes} bytes
   */
  void matmul(
      PackedWeight weight, DeviceTensor x, DeviceTensor bias, DeviceTensor y, Buffer workspace);

  /** Bytes of workspace that {@link #matmul} needs for this batch size. */
  long workspaceBytes(PackedWeight weight, long batch);
}
