package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.invoke.MethodHandle;

/** Image operations, clipping and boxes of secateur.h, one to one. Each returns a status. */
public final class AbiImages {
  private static final MethodHandle IM2COL = Abi.operation("secateur_im2col", LONG, LONG, LONG);
  private static final MethodHandle COL2IM = Abi.operation("secateur_col2im", LONG, LONG, LONG);
  private static final MethodHandle CONVOLVE =
      Abi.operation("secateur_convolve", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle CONVOLVE_INPUT_GRAD =
      Abi.operation("secateur_convolve_input_grad", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle CONVOLVE_WEIGHT_GRAD =
      Abi.operation("secateur_convolve_weight_grad", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle MAX_POOL =
      Abi.operation("secateur_max_pool", LONG, LONG, LONG, LONG);
  private static final MethodHandle MAX_POOL_GRAD =
      Abi.operation("secateur_max_pool_grad", LONG, LONG, LONG, LONG);
  private static final MethodHandle AVERAGE_POOL =
      Abi.operation("secateur_average_pool", LONG, INT, LONG, LONG);
  private static final MethodHandle AVERAGE_POOL_GRAD =
      Abi.operation("secateur_average_pool_grad", LONG, INT, LONG, LONG);
  private static final MethodHandle NORMALIZE =
      Abi.operation("secateur_normalize", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle NORMALIZE_TRAIN =
      Abi.operation("secateur_normalize_train", LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle NORMALIZE_GRAD =
      Abi.operation("secateur_normalize_grad", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle CLIP =
      Abi.operation("secateur_clip", FLOAT, FLOAT, LONG, LONG, LONG);
  private static final MethodHandle CLIP_GRAD =
      Abi.operation("secateur_clip_grad", FLOAT, FLOAT, LONG, LONG, LONG, LONG);
  private static final MethodHandle COPY_BOX = Abi.operation("secateur_copy_box", LONG, LONG, LONG);

  private AbiImages() {}

  public static int im2col(long device, long stream, long window, long x, long columns) {
    try {
      return (int) IM2COL.invokeExact(device, stream, window, x, columns);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int col2im(long device, long stream, long window, long columns, long x) {
    try {
      return (int) COL2IM.invokeExact(device, stream, window, columns, x);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int convolve(
      long device,
      long stream,
      long conv,
      long x,
      long w,
      long bias,
      long y,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          CONVOLVE.invokeExact(device, stream, conv, x, w, bias, y, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int convolveInputGrad(
      long device,
      long stream,
      long conv,
      long dy,
      long w,
      long dx,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          CONVOLVE_INPUT_GRAD.invokeExact(
              device, stream, conv, dy, w, dx, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int convolveWeightGrad(
      long device,
      long stream,
      long conv,
      long x,
      long dy,
      long dw,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          CONVOLVE_WEIGHT_GRAD.invokeExact(
              device, stream, conv, x, dy, dw, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maxPool(long device, long stream, long window, long x, long y, long places) {
    try {
      return (int) MAX_POOL.invokeExact(device, stream, window, x, y, places);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int maxPoolGrad(
      long device, long stream, long window, long dy, long places, long dx) {
    try {
      return (int) MAX_POOL_GRAD.invokeExact(device, stream, window, dy, places, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int averagePool(
      long device, long stream, long window, int countPadding, long x, long y) {
    try {
      return (int) AVERAGE_POOL.invokeExact(device, stream, window, countPadding, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int averagePoolGrad(
      long device, long stream, long window, int countPadding, long dy, long dx) {
    try {
      return (int) AVERAGE_POOL_GRAD.invokeExact(device, stream, window, countPadding, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int normalize(
      long device,
      long stream,
      long shape,
      long x,
      long scale,
      long shift,
      long mean,
      long variance,
      long y) {
    try {
      return (int) NORMALIZE.invokeExact(device, stream, shape, x, scale, shift, mean, variance, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int normalizeTrain(
      long device,
      long stream,
      long shape,
      long x,
      long scale,
      long shift,
      long mean,
      long variance,
      long y,
      long statistics) {
    try {
      return (int)
          NORMALIZE_TRAIN.invokeExact(
              device, stream, shape, x, scale, shift, mean, variance, y, statistics);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int normalizeGrad(
      long device,
      long stream,
      long shape,
      long x,
      long dy,
      long scale,
      long statistics,
      long dx,
      long dnorm) {
    try {
      return (int)
          NORMALIZE_GRAD.invokeExact(device, stream, shape, x, dy, scale, statistics, dx, dnorm);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int clip(long device, long stream, float low, float high, long n, long x, long y) {
    try {
      return (int) CLIP.invokeExact(device, stream, low, high, n, x, y);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int clipGrad(
      long device, long stream, float low, float high, long n, long x, long dy, long dx) {
    try {
      return (int) CLIP_GRAD.invokeExact(device, stream, low, high, n, x, dy, dx);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int copyBox(long device, long stream, long box, long source, long target) {
    try {
      return (int) COPY_BOX.invokeExact(device, stream, box, source, target);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
