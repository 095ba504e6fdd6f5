package io.github.secateur.prune;

import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
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
