package io.github.secateur.graph.op;

import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.graph.Attribute;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.Shape;
import java.util.List;
import java.util.Map;

/**
 * The sliding window of a convolution or pooling node over images [batch, channels, height, width]
 * or signals [batch, channels, length], which are taken as images of height 1. Attributes: strides,
 * dilations, pads or auto_pad, and for pooling ceil_mode.
 *
 * <p>Along an axis of size n, with a window that reaches r = dilation · (kernel − 1) + 1 places:
 * auto_pad VALID pads nothing; SAME_UPPER and SAME_LOWER pad so that there are ⌈n / stride⌉
 * outputs, the odd place at the end or at the beginning; ceil_mode = 1 rounds the number of outputs
 * up where the last window still begins within the image or the padding before it, and for that
 * reaches beyond the padding after it.
 *
 * @param image shape of the input as [batch, channels, height, width]
 * @param declared the window with the pads that the attributes say
 * @param window the same with the places behind the image that ceil_mode adds
 */
record Sliding(Shape image, Window declared, Window window) {
  /** A shape with its two or one spatial axes as [_, _, height, width]. */
  static Shape image(Node node, Shape x) {
    return switch (x.rank()) {
      case 3 -> Shape.of(x.dim(0), x.dim(1), 1, x.dim(2));
      case 4 -> x;
      default ->
          throw Check.misfit(
              node,
              "'%s' %s must be images [batch, channels, height, width] or signals [batch, channels,"
                  + " length]",
              node.input(0),
              x);
    };
  }

  /** The window of a node over x, whose last axes the kernel covers. */
  static Sliding of(Node node, Shape x, List<Long> kernel) {
    Shape image = image(node, x);
    int axes = x.rank() - 2;
    Axis[] declared = new Axis[2];
    Axis[] full = new Axis[2];
    for (int i = 0; i < 2; i++) {
      int given = i - (2 - axes); // the height of a signal is given by no attribute
      declared[i] = given < 0 ? Axis.NONE : axis(node, given, axes, kernel, image.dim(2 + i));
      full[i] = given < 0 ? Axis.NONE : declared[i].rounded(node, image.dim(2 + i));
    }
    Sliding sliding = new Sliding(image, window(declared), window(full));
    if (sliding.window.outHeight(image.dim(2)) < 1 || sliding.window.outWidth(image.dim(3)) < 1) {
      throw Check.misfit(node, "its window %s does not fit '%s' %s", kernel, node.input(0), x);
    }
    return sliding;
  }

  /** Attribute of a pooling node's gradient: the window is the whole image. */
  static final String WHOLE = "whole";

  /** The window of a pooling node, global or not, or of its gradient. */
  static Sliding ofPool(Node node, Shape x) {
    return isGlobal(node) || node.intAttribute(WHOLE, 0) != 0
        ? whole(node, x)
        : of(node, x, node.intsAttribute("kernel_shape", List.of()));
  }

  /** Attributes for the gradient of a pooling node. */
  static Map<String, Attribute> gradientAttributes(Node node) {
    return isGlobal(node) ? Map.of(WHOLE, new Attribute.Int(1)) : node.attributes();
  }

  private static boolean isGlobal(Node node) {
    return node.opType().startsWith("Global");
  }

  private static Sliding whole(Node node, Shape x) {
    Shape image = image(node, x);
    Window window =
        new Window(
            new Extent(Math.toIntExact(image.dim(2)), Math.toIntExact(image.dim(3))),
            Extent.ONE,
            Extent.ONE,
            Pads.NONE);
    return new Sliding(image, window, window);
  }

  /** Shape of the output, of the rank of x. */
  Shape output(Shape x, long channels) {
    long width = window.outWidth(image.dim(3));
    return x.rank() == 3
        ? Shape.of(x.dim(0), channels, width)
        : Shape.of(x.dim(0), channels, window.outHeight(image.dim(2)), width);
  }

  /** Whether windows reach beyond the padding, as ceil_mode lets them. */
  boolean overhangs() {
    return !window.equals(declared);
  }

  private static Window window(Axis[] axes) {
    return new Window(
        new Extent(axes[0].kernel, axes[1].kernel),
        new Extent(axes[0].stride, axes[1].stride),
        new Extent(axes[0].dilation, axes[1].dilation),
        new Pads(axes[0].before, axes[1].before, axes[0].after, axes[1].after));
  }

  private static Axis axis(Node node, int axis, int axes, List<Long> kernel, long size) {
    if (kernel.size() != axes) {
      throw Check.misfit(node, "kernel_shape %s must have %d sizes", kernel, axes);
    }
    Axis plain =
        new Axis(
            atLeast(node, "kernel_shape", kernel.get(axis), 1),
            atLeast(node, "strides", element(node, "strides", axis, axes, 1), 1),
            atLeast(node, "dilations", element(node, "dilations", axis, axes, 1), 1),
            0,
            0);
    String auto = node.textAttribute("auto_pad", "NOTSET");
    return switch (auto) {
      case "NOTSET", "" ->
          plain.padded(
              atLeast(node, "pads", element(node, "pads", axis, 2 * axes, 0), 0),
              atLeast(node, "pads", element(node, "pads", axes + axis, 2 * axes, 0), 0));
      case "VALID" -> plain;
      case "SAME_UPPER" -> plain.same(size, false);
      case "SAME_LOWER" -> plain.same(size, true);
      default ->
          throw Check.misfit(
              node, "auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got '%s'", auto);
    };
  }

  private static long element(Node node, String attribute, int index, int count, long otherwise) {
    List<Long> values = node.intsAttribute(attribute, List.of());
    if (!values.isEmpty() && values.size() != count) {
      throw Check.misfit(node, "%s %s must have %d numbers", attribute, values, count);
    }
    return values.isEmpty() ? otherwise : values.get(index);
  }

  private static int atLeast(Node node, String attribute, long value, int least) {
    if (value < least || value > Integer.MAX_VALUE) {
      throw Check.misfit(node, "%s must be %d or more, got %d", attribute, least, value);
    }
    return (int) value;
  }

  /** The window along one axis. */
  private record Axis(int kernel, int stride, int dilation, int before, int after) {
    static final Axis NONE = new Axis(1, 1, 1, 0, 0);

    Axis padded(int first, int last) {
      return new Axis(kernel, stride, dilation, first, last);
    }

    private long reach() {
      return (long) dilation * (kernel - 1) + 1;
    }

    Axis same(long size, boolean oddFirst) {
      long outputs = (size + stride - 1) / stride;
      int all = (int) Math.max(0, (outputs - 1) * stride + reach() - size);
      int less = all / 2;
      return oddFirst ? padded(all - less, less) : padded(less, all - less);
    }

    /** With the places behind the padding that a rounded-up number of outputs needs. */
    Axis rounded(Node node, long size) {
      if (node.intAttribute("ceil_mode", 0) == 0) {
        return this;
      }
      long padded = size + before + after;
      long outputs = Math.floorDiv(padded - reach() + stride - 1, stride) + 1;
      if ((outputs - 1) * stride >= size + before) {
        outputs--;
      }
      return padded(before, after + (int) Math.max(0, (outputs - 1) * stride + reach() - padded));
    }
  }
}
