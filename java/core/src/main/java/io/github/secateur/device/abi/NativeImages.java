package io.github.secateur.device.abi;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Columns, pooling and batch normalization by the C ABI; the three products of a convolution are
 * each device's own.
 */
public abstract class NativeImages implements ImageOps {
  private static final float NO_MOMENTUM = 1;

  /** The device of the group. */
  protected final NativeDevice device;

  /** The structure of a call, {@link ImageShapes#BYTES} long; never kept between two. */
  protected final MemorySegment arguments;

  /**
   * The group of one device.
   *
   * @param arena lives as long as the device
   */
  protected NativeImages(NativeDevice device, Arena arena) {
    this.device = device;
    this.arguments = arena.allocate(ImageShapes.BYTES, 64);
  }

  @Override
  public void im2col(Window window, DeviceTensor x, DeviceTensor columns) {
    ImageShapes.columns(arguments, "im2col", window, x.shape(), columns.shape());
    Abi.check(
        "im2col",
        AbiImages.im2col(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32("im2col", x),
            device.f32("im2col", columns)));
  }

  @Override
  public void col2im(Window window, DeviceTensor columns, DeviceTensor x) {
    ImageShapes.columns(arguments, "col2im", window, x.shape(), columns.shape());
    Abi.check(
        "col2im",
        AbiImages.col2im(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32("col2im", columns),
            device.f32("col2im", x)));
  }

  @Override
  public void maxPool(Window window, DeviceTensor x, DeviceTensor y, DeviceTensor places) {
    String op = "maxPool";
    ImageShapes.window(arguments, op, window, x.shape(), y.shape());
    if (places != null) {
      Shapes.same(op, y, places);
    }
    Abi.check(
        op,
        AbiImages.maxPool(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, y),
            places == null ? 0 : device.address(op, places, DType.I32)));
  }

  @Override
  public void maxPoolGradient(
      Window window, DeviceTensor dy, DeviceTensor places, DeviceTensor dx) {
    String op = "maxPoolGradient";
    ImageShapes.window(arguments, op, window, dx.shape(), dy.shape());
    Shapes.same(op, dy, places);
    Abi.check(
        op,
        AbiImages.maxPoolGrad(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, dy),
            device.address(op, places, DType.I32),
            device.f32(op, dx)));
  }

  @Override
  public void averagePool(Window window, boolean countPadding, DeviceTensor x, DeviceTensor y) {
    String op = "averagePool";
    ImageShapes.window(arguments, op, window, x.shape(), y.shape());
    Abi.check(
        op,
        AbiImages.averagePool(
            device.handle(),
            device.stream(),
            arguments.address(),
            countPadding ? 1 : 0,
            device.f32(op, x),
            device.f32(op, y)));
  }

  @Override
  public void averagePoolGradient(
      Window window, boolean countPadding, DeviceTensor dy, DeviceTensor dx) {
    String op = "averagePoolGradient";
    ImageShapes.window(arguments, op, window, dx.shape(), dy.shape());
    Abi.check(
        op,
        AbiImages.averagePoolGrad(
            device.handle(),
            device.stream(),
            arguments.address(),
            countPadding ? 1 : 0,
            device.f32(op, dy),
            device.f32(op, dx)));
  }

  @Override
  public void normalize(Norm norm, float epsilon, DeviceTensor x, DeviceTensor y) {
    String op = "normalize";
    Shapes.same(op, x, y);
    ImageShapes.norm(arguments, op, x.shape(), new Momentum(epsilon, NO_MOMENTUM));
    checkNorm(op, norm, x.shape());
    Abi.check(
        op,
        AbiImages.normalize(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, norm.scale()),
            device.f32(op, norm.shift()),
            device.f32(op, norm.mean()),
            device.f32(op, norm.variance()),
            device.f32(op, y)));
  }

  @Override
  public void normalizeTraining(
      Norm norm, Momentum momentum, DeviceTensor x, DeviceTensor y, DeviceTensor statistics) {
    String op = "normalizeTraining";
    Shapes.same(op, x, y);
    ImageShapes.norm(arguments, op, x.shape(), momentum);
    checkNorm(op, norm, x.shape());
    ImageShapes.twoRows(op, statistics, x.shape());
    Abi.check(
        op,
        AbiImages.normalizeTrain(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, norm.scale()),
            device.f32(op, norm.shift()),
            device.f32(op, norm.mean()),
            device.f32(op, norm.variance()),
            device.f32(op, y),
            device.f32(op, statistics)));
  }

  @Override
  public void normalizeGradient(
      DeviceTensor scale,
      DeviceTensor statistics,
      DeviceTensor x,
      DeviceTensor dy,
      Gradients into) {
    String op = "normalizeGradient";
    Shapes.same(op, x, dy);
    Shapes.same(op, x, into.dx());
    ImageShapes.norm(arguments, op, x.shape(), new Momentum(0, NO_MOMENTUM));
    ImageShapes.channels(op, scale, x.shape());
    ImageShapes.twoRows(op, statistics, x.shape());
    ImageShapes.twoRows(op, into.dnorm(), x.shape());
    Abi.check(
        op,
        AbiImages.normalizeGrad(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, dy),
            device.f32(op, scale),
            device.f32(op, statistics),
            device.f32(op, into.dx()),
            device.f32(op, into.dnorm())));
  }

  private static void checkNorm(String op, Norm norm, Shape x) {
    ImageShapes.channels(op, norm.scale(), x);
    ImageShapes.channels(op, norm.shift(), x);
    ImageShapes.channels(op, norm.mean(), x);
    ImageShapes.channels(op, norm.variance(), x);
  }
}
