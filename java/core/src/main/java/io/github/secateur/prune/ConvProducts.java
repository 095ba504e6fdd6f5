package io.github.secateur.prune;

import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Node;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.util.Collections;
import java.util.List;

/**
 * X Xᵀ of a convolution's inputs: its columns [channels · kernel h · kernel w, samples · out h ·
 * out w], each group's by itself, a part of the samples at a time.
 */
final class ConvProducts {
  /** Columns held at once. */
  private static final long COLUMN_BYTES = 64L << 20;

  private ConvProducts() {}

  /**
   * The window of a Conv node.
   *
   * @param x shape of its input [batch, channels, h, w] or [batch, channels, length]
   */
  static Window window(Node conv, Model model, Shape x) {
    Shape weight = model.graph().initializer(conv.input(1)).shape();
    int axes = x.rank() - 2;
    if (axes < 1 || axes > 2) {
      throw new IllegalArgumentException(
          "layer-wise pruning takes convolutions over one or two axes, but %s has %d; exclude it"
              .formatted(conv, axes));
    }
    List<Long> strides = conv.intsAttribute("strides", Collections.nCopies(axes, 1L));
    List<Long> dilations = conv.intsAttribute("dilations", Collections.nCopies(axes, 1L));
    List<Long> pads = conv.intsAttribute("pads", Collections.nCopies(2 * axes, 0L));
    String auto = conv.textAttribute("auto_pad", "NOTSET");
    int[] before = new int[2]; // of height and width; a signal has height 1
    int[] after = new int[2];
    int[] kernel = {1, 1};
    int[] stride = {1, 1};
    int[] dilation = {1, 1};
    for (int d = 0; d < axes; d++) {
      int axis = d + 2 - axes;
      kernel[axis] = Math.toIntExact(weight.dim(d + 2));
      stride[axis] = Math.toIntExact(strides.get(d));
      dilation[axis] = Math.toIntExact(dilations.get(d));
      before[axis] = Math.toIntExact(pads.get(d));
      after[axis] = Math.toIntExact(pads.get(d + axes));
      if (auto.startsWith("SAME")) {
        long in = x.dim(d + 2);
        long reach = (long) dilation[axis] * (kernel[axis] - 1) + 1;
        long outs = Math.ceilDiv(in, stride[axis]);
        int missing = (int) Math.max(0, (outs - 1) * stride[axis] + reach - in);
        before[axis] = auto.equals("SAME_LOWER") ? (missing + 1) / 2 : missing / 2;
        after[axis] = missing - before[axis];
      } else if (auto.equals("VALID")) {
        before[axis] = 0;
        after[axis] = 0;
      }
    }
    return new Window(
        new Extent(kernel[0], kernel[1]),
        new Extent(stride[0], stride[1]),
        new Extent(dilation[0], dilation[1]),
        new Pads(before[0], before[1], after[0], after[1]));
  }

  /**
   * Adds the products of a batch.
   *
   * @param x [batch, channels, h, w] or [batch, channels, length]
   * @param sums one a group, each [channels / groups · kernel h · kernel w] squared
   */
  static void add(Device device, Window window, DeviceTensor x, List<DeviceTensor> sums) {
    Shape s = x.shape();
    long batch = s.dim(0);
    long h = s.rank() == 3 ? 1 : s.dim(2);
    long w = s.dim(s.rank() - 1);
    long rows = s.dim(1) * window.kernel().h() * window.kernel().w();
    long places = window.outHeight(h) * window.outWidth(w);
    long part =
        Math.clamp(COLUMN_BYTES / Float.BYTES / Math.max(1, rows * places), 1, Math.max(1, batch));
    try (DeviceTensor columns = device.empty(DType.F32, Shape.of(rows, part * places))) {
      for (long from = 0; from < batch; from += part) {
        long count = Math.min(part, batch - from);
        Shape image = Shape.of(count, s.dim(1), h, w);
        long offset = from * (image.size() / count) * Float.BYTES;
        DeviceTensor images =
            new DeviceTensor(x.buffer(), x.byteOffset() + offset, DType.F32, image);
        DeviceTensor matrix =
            new DeviceTensor(columns.buffer(), 0, DType.F32, Shape.of(rows, count * places));
        device.images().im2col(window, images, matrix);
        addGroups(device, matrix, sums);
      }
    }
  }

  private static void addGroups(Device device, DeviceTensor columns, List<DeviceTensor> sums) {
    long width = columns.shape().dim(1);
    long rows = columns.shape().dim(0) / sums.size();
    for (int g = 0; g < sums.size(); g++) {
      DeviceTensor group =
          new DeviceTensor(
              columns.buffer(), g * rows * width * Float.BYTES, DType.F32, Shape.of(rows, width));
      device.dense().gemm(new Gemm(false, true, 1, 1), group, group, sums.get(g));
    }
  }
}
