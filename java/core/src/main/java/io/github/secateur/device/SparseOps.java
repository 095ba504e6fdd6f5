package io.github.secateur.device;

import io.github.secateur.tensor.Shape;

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

    /** How it is laid out. */
    SparseFormat format();

    @Override
    void close();
  }

  /**
   * What follows a product's sums: y = f(sum + bias).
   *
   * @param bias [out], or null
   * @param activation f, or null for the sums themselves
   * @param alpha of the activation
   */
  record Epilogue(DeviceTensor bias, NnOps.Unary activation, float alpha) {
    /** Nothing follows. */
    public static final Epilogue NONE = of(null);

    /** A bias, or null, and no activation. */
    public static Epilogue of(DeviceTensor bias) {
      return new Epilogue(bias, null, 0);
    }
  }

  /** Whether this device has a format; formats that are N:M also ask for a pattern that fits. */
  boolean supports(SparseFormat format);

  /**
   * Packs W [out, in]. Elements equal to ±0 are left out, and so are masked ones whatever they
   * hold.
   *
   * @param weight rank 2; [out, in], or [in, out] when {@code transposed}
   * @param transposed whether it is stored input-major (ONNX MatMul, Gemm with transB = 0)
   * @param mask over {@code weight} as stored, or null
   * @throws DeviceException UNAVAILABLE for a format that this device does not support
   * @throws IllegalArgumentException for N:M with a pattern that has more in some group
   */
  PackedWeight pack(DeviceTensor weight, boolean transposed, DeviceMask mask, SparseFormat format);

  /** Packs by rows, which every device has. */
  default PackedWeight pack(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    return pack(weight, transposed, mask, new SparseFormat.Rows());
  }

  /**
   * y = f(x · Wᵀ + bias).
   *
   * @param x [batch, in]
   * @param y [batch, out]
   * @param workspace at least {@link #workspaceBytes} bytes
   */
  void matmul(
      PackedWeight weight, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace);

  /**
   * Packs by rows, and also what {@link #inputGradient}, {@link #weightGradient} and {@link
   * #refresh} need: a second layout of the same weights for products with W itself. Where there is
   * a mask, all that it keeps is stored, zeros included, so that it can grow; without one, what is
   * not ±0.
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
   * @param workspace at least {@link #workspaceBytes} bytes
   */
  void weightGradient(
      PackedWeight weight,
      DeviceTensor x,
      DeviceTensor dy,
      DeviceTensor gradient,
      Buffer workspace);

  /**
   * Takes the values of a weight packed trainable anew; the pattern stays, and weights outside it
   * are not looked at.
   *
   * @param values of the shape of the weight that was packed
   */
  void refresh(PackedWeight weight, DeviceTensor values);

  /** Filters of a convolution, packed for images of one shape; whoever packed them closes them. */
  interface PackedFilters extends PackedWeight {
    /** Shape of the images, [batch, channels, height, width]. */
    Shape images();

    /** Shape of the results, [batch, outputs, out height, out width]. */
    Shape results();

    /** Bytes of workspace that {@link #convolve} needs. */
    long workspaceBytes();
  }

  /**
   * Packs the filters of a convolution: single weights, zeros and what the mask prunes left out.
   * {@link PackedWeight#out} counts outputs, {@link PackedWeight#in} the places of a filter.
   *
   * @param images shape of what is convolved, [batch, channels, height, width]
   * @param weight [outputs, channels / groups, kernel height, kernel width]
   * @param mask over {@code weight}, or null
   * @throws DeviceException UNAVAILABLE for a convolution that this device cannot run sparse
   */
  PackedFilters packFilters(
      ImageOps.Convolution convolution, Shape images, DeviceTensor weight, DeviceMask mask);

  /**
   * y = f(convolution of x + bias).
   *
   * @param x of the shape that the filters were packed for
   * @param y of the shape of the results
   * @param workspace at least as large as the filters say
   */
  void convolve(
      PackedFilters filters, DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace);

  /** Bytes of workspace that products with this weight need for this batch size. */
  long workspaceBytes(PackedWeight weight, long batch);
}
