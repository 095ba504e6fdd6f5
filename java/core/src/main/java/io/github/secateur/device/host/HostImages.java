package io.github.secateur.device.host;

import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiImages;
import io.github.secateur.device.abi.ImageShapes;
import io.github.secateur.device.abi.NativeImages;
import io.github.secateur.device.abi.Shapes;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;

/** Image operations of the CPU device: convolutions are the native library's own. */
final class HostImages extends NativeImages {
  HostImages(HostDevice device, Arena arena) {
    super(device, arena);
  }

  @Override
  public void convolve(
      Convolution convolution,
      DeviceTensor x,
      DeviceTensor w,
      DeviceTensor bias,
      DeviceTensor y,
      Buffer workspace) {
    String op = "convolve";
    ImageShapes.convolution(arguments, convolution, x.shape(), w.shape(), y.shape());
    if (bias != null) {
      Shapes.vector(op + ": bias", bias, w.shape().dim(0), "output");
    }
    Abi.check(
        op,
        AbiImages.convolve(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, w),
            bias == null ? 0 : device.f32(op, bias),
            device.f32(op, y),
            device.address(op, workspace),
            size(workspace)));
  }

  @Override
  public void convolveInputGradient(
      Convolution convolution, DeviceTensor dy, DeviceTensor w, DeviceTensor dx, Buffer workspace) {
    String op = "convolveInputGradient";
    ImageShapes.convolution(arguments, convolution, dx.shape(), w.shape(), dy.shape());
    Abi.check(
        op,
        AbiImages.convolveInputGrad(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, dy),
            device.f32(op, w),
            device.f32(op, dx),
            device.address(op, workspace),
            size(workspace)));
  }

  @Override
  public void convolveWeightGradient(
      Convolution convolution, DeviceTensor x, DeviceTensor dy, DeviceTensor dw, Buffer workspace) {
    String op = "convolveWeightGradient";
    ImageShapes.convolution(arguments, convolution, x.shape(), dw.shape(), dy.shape());
    Abi.check(
        op,
        AbiImages.convolveWeightGrad(
            device.handle(),
            device.stream(),
            arguments.address(),
            device.f32(op, x),
            device.f32(op, dy),
            device.f32(op, dw),
            device.address(op, workspace),
            size(workspace)));
  }

  /** Where a product reads the size of its workspace. */
  private long size(Buffer workspace) {
    device.sizes().set(LONG, 0, workspace.byteSize());
    return device.sizes().address();
  }

  @Override
  public long workspaceBytes(Convolution convolution, Shape x, Shape w) {
    ImageShapes.convolution(arguments, convolution, x, w, null);
    long conv = arguments.address();
    long size = device.sizes().address();
    Abi.check(
        "convolve",
        AbiImages.convolve(device.handle(), device.stream(), conv, 0, 0, 0, 0, 0, size));
    long bytes = device.sizes().get(LONG, 0);
    Abi.check(
        "convolveInputGradient",
        AbiImages.convolveInputGrad(device.handle(), device.stream(), conv, 0, 0, 0, 0, size));
    bytes = Math.max(bytes, device.sizes().get(LONG, 0));
    Abi.check(
        "convolveWeightGradient",
        AbiImages.convolveWeightGrad(device.handle(), device.stream(), conv, 0, 0, 0, 0, size));
    return Math.max(bytes, device.sizes().get(LONG, 0));
  }
}
