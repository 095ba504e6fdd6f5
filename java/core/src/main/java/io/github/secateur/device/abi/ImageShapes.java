package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.device.ImageOps.Momentum;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.MemorySegment;

/**
 * Checks the shapes of image operations and writes the structures of secateur.h that describe them,
 * into a segment of the caller's.
 */
public final class ImageShapes {
  /** Size of secateur_conv, the largest of the structures; it begins with its secateur_window. */
  public static final long BYTES = 96;

  private ImageShapes() {}

  /**
   * Shape of the output of a window over images x.
   *
   * @param channels of the output
   */
  public static Shape output(String operation, Window window, Shape x, long channels) {
    Shapes.rank(operation, x, 4);
    long h = window.outHeight(x.dim(2));
    long w = window.outWidth(x.dim(3));
    if (x.dim(1) < 1 || x.dim(2) < 1 || x.dim(3) < 1 || h < 1 || w < 1) {
      throw new IllegalArgumentException(
          "%s: %s does not fit into images %s; take a smaller kernel, or pad"
              .formatted(operation, window, x));
    }
    return Shape.of(x.dim(0), channels, h, w);
  }

  /** Writes the secateur_window of images x and outputs y, whose shapes must belong together. */
  public static void window(
      MemorySegment target, String operation, Window window, Shape x, Shape y) {
    Shape wanted = output(operation, window, x, x.rank() < 2 ? 0 : x.dim(1));
    if (!y.equals(wanted)) {
      throw new IllegalArgumentException(
          "%s: %s over images %s gives %s, not %s".formatted(operation, window, x, wanted, y));
    }
    write(target, window, x, wanted);
  }

  /** Writes the secateur_window of images x and a matrix of columns. */
  public static void columns(
      MemorySegment target, String operation, Window window, Shape x, Shape columns) {
    Shape out = output(operation, window, x, 1);
    Shape wanted = Shape.of(x.dim(1) * window.kernel().h() * window.kernel().w(), out.size());
    if (!columns.equals(wanted)) {
      throw new IllegalArgumentException(
          "%s: %s over images %s gives columns %s, not %s"
              .formatted(operation, window, x, wanted, columns));
    }
    write(target, window, x, out);
  }

  /**
   * Writes the secateur_conv of images x, weights w and, where it is not null, outputs y, whose
   * shapes must belong together.
   */
  public static void convolution(
      MemorySegment target, Convolution convolution, Shape x, Shape w, Shape y) {
    String operation = "convolve";
    Window window = convolution.window();
    Shapes.rank(operation + ": x", x, 4);
    Shapes.rank(operation + ": w", w, 4);
    int groups = convolution.groups();
    if (x.dim(1) != w.dim(1) * groups
        || w.dim(0) % groups != 0
        || w.dim(0) < 1
        || w.dim(2) != window.kernel().h()
        || w.dim(3) != window.kernel().w()) {
      throw new IllegalArgumentException(
          "convolve: weights %s do not fit images %s, %d groups and a kernel of %d x %d; they are [outputs, channels / groups, kernel height, kernel width], and groups divide both"
              .formatted(w, x, groups, window.kernel().h(), window.kernel().w()));
    }
    Shape wanted = output(operation, window, x, w.dim(0));
    if (y != null && !y.equals(wanted)) {
      throw new IllegalArgumentException(
          "convolve: weights %s over images %s give %s, not %s".formatted(w, x, wanted, y));
    }
    write(target, window, x, wanted);
    target.set(LONG, 80, w.dim(0));
    target.set(INT, 88, groups);
    target.set(INT, 92, 0);
  }

  private static void write(MemorySegment target, Window window, Shape x, Shape y) {
    for (int d = 0; d < 4; d++) {
      target.set(LONG, 8L * d, x.dim(d));
    }
    target.set(LONG, 32, y.dim(2));
    target.set(LONG, 40, y.dim(3));
    int[] fields = {
      window.kernel().h(), window.kernel().w(),
      window.stride().h(), window.stride().w(),
      window.dilation().h(), window.dilation().w(),
      window.pads().top(), window.pads().left()
    };
    for (int i = 0; i < fields.length; i++) {
      target.set(INT, 48 + 4L * i, fields[i]);
    }
  }

  /** Writes the secateur_norm_shape of x, whose channels are its second axis. */
  public static void norm(MemorySegment target, String operation, Shape x, Momentum momentum) {
    if (x.rank() < 2) {
      throw new IllegalArgumentException(
          "%s: shape %s has no channels; it must be [batch, channels, ...]"
              .formatted(operation, x));
    }
    long spatial = 1;
    for (int d = 2; d < x.rank(); d++) {
      spatial *= x.dim(d);
    }
    target.set(LONG, 0, x.dim(0));
    target.set(LONG, 8, x.dim(1));
    target.set(LONG, 16, spatial);
    target.set(FLOAT, 24, momentum.epsilon());
    target.set(FLOAT, 28, momentum.momentum());
  }

  /** A vector with an element for each channel of x. */
  public static void channels(String operation, DeviceTensor vector, Shape x) {
    Shapes.vector(operation, vector, x.dim(1), "channel of " + x);
  }

  /** Two rows with an element for each channel of x. */
  public static void twoRows(String operation, DeviceTensor rows, Shape x) {
    if (!rows.shape().equals(Shape.of(2, x.dim(1)))) {
      throw new IllegalArgumentException(
          "%s: shape %s must be [2, %d], two rows over the channels of %s"
              .formatted(operation, rows.shape(), x.dim(1), x));
    }
  }
}
