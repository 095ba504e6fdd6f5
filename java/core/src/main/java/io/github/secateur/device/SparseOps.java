package io.github.secateur.device;

/** Products of a sparse weight matrix with dense activations, F32. */
public interface SparseOps {
  /** A weight matrix packed for this device; whoever packed it closes it. */
  interface PackedWeight extends AutoCloseable {
    /** Rows of the logical W [out, in]. */
    long out();

    /** Columns of the logical W [out, in]. */
    long in();

    /** Stored elements; those of a stored block all count. */
    long nonzeros();

    /** Bytes it takes on the device. */
    long byteSize();

    /** Name of the layout for reports, such as {@code panel-csr} or {@code bsr-16}. */
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
   * Packs W [out, in] as {@link #pack} does, in square blocks: a block is stored whole when any of
   * its weights is not ±0 and kept by the mask; others are left out. For products alone.
   *
   * @param block rows and columns of a block, 2 or more; it must divide both {@code out} and {@code
   *     in}
   * @throws DeviceException UNAVAILABLE on a device that has no such layout
   */
  default PackedWeight packBlocks(
      DeviceTensor weight, boolean transposed, DeviceMask mask, int block) {
    throw new DeviceException(
        "sparse pack",
        DeviceException.Status.UNAVAILABLE,
        "this device stores single weights, no blocks of %d x %d; use pack, or open device cuda"
            .formatted(block, block));
  }

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

  /**
   * Packs as {@link #pack} does, and also what {@link #inputGradient}, {@link #weightGradient} and
   * {@link #refresh} need: a second layout of the same weights for products with W itself.
   */
  PackedWeight packTrainable(DeviceTensor weight, boolean transposed, DeviceMask mask);

  /**
   * dx = dy · W, for a weight packed trainable.
   *
   * @param dy [batch, out]
   * @param dx [batch, in]
   * @param workspace at least {@link #workspaceBytes} bytes
   */
  void inputGradient(PackedWeight weight, DeviceTensor dy, DeviceTensor dx, Buffer workspace);

  /**
   * gradient = dyᵀ · x (its transpose when the weight is stored input-major) where a weight is
   * stored, exactly +0 elsewhere: gradients exist only where weights live. For a weight packed
   * trainable.
   *
   * @param x [batch, in]
   * @param dy [batch, out]
   * @param gradient of the shape of the weight that was packed
   */
  void weightGradient(PackedWeight weight, DeviceTensor x, DeviceTensor dy, DeviceTensor gradient);

  /**
   * Takes the values of a weight packed trainable anew; the pattern stays, and weights outside it
   * are not looked at.
   *
   * @param values of the shape of the weight that was packed
   */
  void refresh(PackedWeight weight, DeviceTensor values);

  /** Bytes of workspace that products with this weight need for this batch size. */
  long workspaceBytes(PackedWeight weight, long batch);
}
