package io.github.secateur.device;

import io.github.secateur.tensor.Shape;

/**
 * Convolution, pooling and batch normalization of images x [batch, channels, height, width], F32,
 * row-major. Signals [batch, channels, length] are images of height 1. Shapes that do not fit give
 * an IllegalArgumentException naming them.
 */
public interface ImageOps {
  /**
   * A window that slides over an image: along each axis it covers the input places {@code o ·
   * stride + k · dilation − padding before}, o from 0 counting outputs and k the places of the
   * window.
   *
   * @param kernel its height and width, 1 or more
   * @param stride 1 or more
   * @param dilation 1 or more
   * @param pads zeros around the image: top, left, bottom, right, 0 or more
   */
  record Window(Extent kernel, Extent stride, Extent dilation, Pads pads) {
    /** Checks the ranges. */
    public Window {
      if (kernel.h() < 1 || kernel.w() < 1 || stride.h() < 1 || stride.w() < 1) {
        throw new IllegalArgumentException(
            "a window needs a kernel and a stride of 1 or more, got %s and %s"
                .formatted(kernel, stride));
      }
      if (dilation.h() < 1 || dilation.w() < 1) {
        throw new IllegalArgumentException("a dilation must be 1 or more, got " + dilation);
      }
    }

    /** Height of the output for an input of this height, 0 where the window does not fit. */
    public long outHeight(long in) {
      return out(in + pads.top() + pads.bottom(), kernel.h(), stride.h(), dilation.h());
    }

    /** Width of the output for an input of this width, 0 where the window does not fit. */
    public long outWidth(long in) {
      return out(in + pads.left() + pads.right(), kernel.w(), stride.w(), dilation.w());
    }

    private static long out(long padded, int kernel, int stride, int dilation) {
      long reach = (long) dilation * (kernel - 1) + 1;
      return padded < reach ? 0 : (padded - reach) / stride + 1;
    }
  }

  /** Height and width. */
  record Extent(int h, int w) {
    /** Both 1. */
    public static final Extent ONE = new Extent(1, 1);
  }

  /** Zeros around an image. */
  record Pads(int top, int left, int bottom, int right) {
    /** None. */
    public static final Pads NONE = new Pads(0, 0, 0, 0);

    /** Checks the ranges. */
    public Pads {
      if (top < 0 || left < 0 || bottom < 0 || right < 0) {
        throw new IllegalArgumentException(
            "pads must be 0 or more, got %d, %d, %d, %d".formatted(top, left, bottom, right));
      }
    }
  }

  /**
   * A convolution (cross-correlation, as ONNX Conv has it).
   *
   * @param groups divides input and output channels; output channels of a group see its input
   *     channels only
   */
  record Convolution(Window window, int groups) {
    /** Checks the range. */
    public Convolution {
      if (groups < 1) {
        throw new IllegalArgumentException("a convolution has 1 or more groups, got " + groups);
      }
    }
  }

  /**
   * y[n, o, i, j] = bias[o] + Σ over c, k, l of w[o, c, k, l] · x[n, group's channel c, place of
   * (i, k), place of (j, l)].
   *
   * @param x [batch, channels, h, w]
   * @param w [outputs, channels / groups, kernel h, kernel w]
   * @param bias [outputs] or null
   * @param y [batch, outputs, out h, out w]
   * @param workspace at least {@link #workspaceBytes}
   */
  void convolve(
      Convolution convolution,
      DeviceTensor x,
      DeviceTensor w,
      DeviceTensor bias,
      DeviceTensor y,
      Buffer workspace);

  /** dx = the adjoint of {@link #convolve} in x, applied to dy; every element of dx is written. */
  void convolveInputGradient(
      Convolution convolution, DeviceTensor dy, DeviceTensor w, DeviceTensor dx, Buffer workspace);

  /** dw = the adjoint of {@link #convolve} in w, applied to dy; summed in one fixed order. */
  void convolveWeightGradient(
      Convolution convolution, DeviceTensor x, DeviceTensor dy, DeviceTensor dw, Buffer workspace);

  /** Workspace that the three products with these shapes need, at most some tens of MiB. */
  long workspaceBytes(Convolution convolution, Shape x, Shape w);

  /**
   * The places that each output sees, as a matrix: row (c, k, l), column (n, i, j); 0 outside the
   * image.
   *
   * @param x [batch, channels, h, w]
   * @param columns [channels · kernel h · kernel w, batch · out h · out w]
   */
  void im2col(Window window, DeviceTensor x, DeviceTensor columns);

  /** The adjoint of {@link #im2col}: sums each image place over all that see it. */
  void col2im(Window window, DeviceTensor columns, DeviceTensor x);

  /**
   * Largest value under the window; the padding never wins; NaN wins; of equal values the first.
   *
   * @param y [batch, channels, out h, out w]
   * @param places I32 of y's shape, written: the winner's index in its plane (h · w); or null
   */
  void maxPool(Window window, DeviceTensor x, DeviceTensor y, DeviceTensor places);

  /** dx[place] = the sum of dy over the windows that it won; a place named −1 gets nothing. */
  void maxPoolGradient(Window window, DeviceTensor dy, DeviceTensor places, DeviceTensor dx);

  /**
   * Mean under the window.
   *
   * @param countPadding whether to divide by the window's size, or by its places in the image
   */
  void averagePool(Window window, boolean countPadding, DeviceTensor x, DeviceTensor y);

  /** The adjoint of {@link #averagePool}; every element of dx is written. */
  void averagePoolGradient(Window window, boolean countPadding, DeviceTensor dy, DeviceTensor dx);

  /**
   * The parameters of a batch normalization, each [channels].
   *
   * @param scale γ
   * @param shift β
   * @param mean running mean
   * @param variance running variance
   */
  record Norm(DeviceTensor scale, DeviceTensor shift, DeviceTensor mean, DeviceTensor variance) {}

  /** y = γ (x − mean) / √(variance + ε) + β with the running statistics. y may be x. */
  void normalize(Norm norm, float epsilon, DeviceTensor x, DeviceTensor y);

  /**
   * The same with the statistics of this batch (biased variance); then running = momentum · running
   * + (1 − momentum) · of the batch, for the variance too, as ONNX BatchNormalization of training
   * mode has it (Ioffe &amp; Szegedy, arXiv 1502.03167, algorithm 1). Sums are double, in the order
   * of {@code kernels/common/reduce.h} over (n, i, j).
   *
   * @param statistics F32 [2, channels], written: mean and 1 / √(variance + ε) of the batch
   */
  void normalizeTraining(
      Norm norm, Momentum momentum, DeviceTensor x, DeviceTensor y, DeviceTensor statistics);

  /** The scalars of {@link #normalizeTraining}. */
  record Momentum(float epsilon, float momentum) {}

  /**
   * Gradients of {@link #normalizeTraining}.
   *
   * @param scale γ
   * @param statistics as written forward
   */
  void normalizeGradient(
      DeviceTensor scale, DeviceTensor statistics, DeviceTensor x, DeviceTensor dy, Gradients into);

  /**
   * Where {@link #normalizeGradient} writes.
   *
   * @param dx of x's shape; may be dy
   * @param dnorm F32 [2, channels]: dγ and dβ
   */
  record Gradients(DeviceTensor dx, DeviceTensor dnorm) {}
}
