package io.github.secateur.device.abi;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.tensor.Shape;

/**
 * The shapes of a packed weight, logical W [out, in], and the checks of its operations' arguments.
 *
 * @param transposed whether the weight is stored [in, out]
 */
public record SparseShapes(long out, long in, boolean transposed) {
  /** Those of a weight to pack. */
  public static SparseShapes of(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    Shapes.rank("sparse pack", weight.shape(), 2);
    Shapes.covers("sparse pack", mask, weight);
    return new SparseShapes(
        weight.shape().dim(transposed ? 1 : 0), weight.shape().dim(transposed ? 0 : 1), transposed);
  }

  /** Wᵀ, stored in the same place. */
  public SparseShapes flipped() {
    return new SparseShapes(in, out, !transposed);
  }

  /** Shape of the weight as stored. */
  public Shape stored() {
    return transposed ? Shape.of(in, out) : Shape.of(out, in);
  }

  /** Square blocks of two rows and columns or more that divide the weight. */
  public void checkBlocks(int block) {
    if (block < 2) {
      throw new IllegalArgumentException(
          "sparse pack: blocks of %d x %d are no blocks; take 2 x 2 or larger, or pack single weights"
              .formatted(block, block));
    }
    if (out % block != 0 || in % block != 0) {
      throw new IllegalArgumentException(
          "sparse pack: blocks of %d x %d do not divide W [%d, %d]; take a size that divides both"
              .formatted(block, block, out, in));
    }
  }

  /** x [batch, in], bias [out] or null, y [batch, out]. */
  public void checkMatmul(DeviceTensor x, DeviceTensor bias, DeviceTensor y) {
    Shapes.rank("sparse matmul: x", x.shape(), 2);
    Shapes.rank("sparse matmul: y", y.shape(), 2);
    long batch = x.shape().dim(0);
    if (x.shape().dim(1) != in || !y.shape().equals(Shape.of(batch, out))) {
      throw new IllegalArgumentException(
          "sparse matmul: x %s by W [%d, %d] transposed does not give y %s; it must be [%d, %d]"
              .formatted(x.shape(), out, in, y.shape(), batch, out));
    }
    if (bias != null) {
      Shapes.vector("sparse matmul: bias", bias, out, "output");
    }
  }

  /** dy [batch, out], dx [batch, in]. */
  public void checkInputGradient(DeviceTensor dy, DeviceTensor dx) {
    Shapes.rank("sparse input gradient: dy", dy.shape(), 2);
    long batch = dy.shape().dim(0);
    if (dy.shape().dim(1) != out || !dx.shape().equals(Shape.of(batch, in))) {
      throw new IllegalArgumentException(
          "sparse input gradient: dy %s by W [%d, %d] does not give dx %s; it must be [%d, %d]"
              .formatted(dy.shape(), out, in, dx.shape(), batch, in));
    }
  }

  /** x [batch, in], dy [batch, out], gradient as the weight is stored. */
  public void checkWeightGradient(DeviceTensor x, DeviceTensor dy, DeviceTensor gradient) {
    Shapes.rank("sparse weight gradient: x", x.shape(), 2);
    long batch = x.shape().dim(0);
    if (x.shape().dim(1) != in || !dy.shape().equals(Shape.of(batch, out))) {
      throw new IllegalArgumentException(
          "sparse weight gradient: x %s and dy %s do not fit W [%d, %d]; they must be [batch, %d] and [batch, %d]"
              .formatted(x.shape(), dy.shape(), out, in, in, out));
    }
    checkStored("sparse weight gradient", gradient);
  }

  /** A tensor of the shape of the weight that was packed. */
  public void checkStored(String op, DeviceTensor tensor) {
    if (!tensor.shape().equals(stored())) {
      throw new IllegalArgumentException(
          "%s: shape %s is not that of the packed weight, %s"
              .formatted(op, tensor.shape(), stored()));
    }
  }

  /** A batch size is not negative. */
  public static void checkBatch(long batch) {
    if (batch < 0) {
      throw new IllegalArgumentException("sparse matmul: a batch of " + batch + " is negative");
    }
  }

  /** For a format that a device has not. */
  public static DeviceException unsupported(SparseFormat format, String cure) {
    return new DeviceException(
        "sparse pack",
        DeviceException.Status.UNAVAILABLE,
        "this device has no sparse format '%s'; %s".formatted(format.label(), cure));
  }

  /** For a weight of another device. */
  public static IllegalArgumentException foreign(String op) {
    return new IllegalArgumentException(
        op + ": the weight was packed by another device; pack it on this one");
  }

  /** For a weight packed for products alone. */
  public static IllegalArgumentException notTrainable(String op) {
    return new IllegalArgumentException(
        op + ": the weight was packed for products alone; pack it with packTrainable");
  }
}
