package io.github.secateur.device;

import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedFilters;
import io.github.secateur.device.SparseOps.PackedWeight;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/**
 * Sparse convolution by what every device has: the window unrolled into columns, these transposed
 * to rows of activations, the sparse product with the filters as a matrix, and its result
 * transposed back, for so many images at once that the columns stay small. For devices without a
 * direct one; one group only.
 *
 * @param device where it runs
 * @param convolution geometry
 * @param images [batch, channels, height, width]
 * @param results [batch, outputs, out height, out width]
 * @param matrix filters packed [outputs, channels · kernel height · kernel width]
 */
public record UnrolledFilters(
    Device device,
    ImageOps.Convolution convolution,
    Shape images,
    Shape results,
    PackedWeight matrix)
    implements PackedFilters {
  private static final long MOST_BYTES = 64L << 20;

  /**
   * Packs filters.
   *
   * @throws DeviceException UNAVAILABLE for more than one group
   * @throws IllegalArgumentException when shapes do not fit
   */
  public static UnrolledFilters pack(
      Device device,
      ImageOps.Convolution convolution,
      Shape images,
      DeviceTensor weight,
      DeviceMask mask) {
    Shape w = weight.shape();
    ImageOps.Window window = convolution.window();
    if (convolution.groups() != 1) {
      throw new DeviceException(
          "pack filters",
          DeviceException.Status.UNAVAILABLE,
          "this device runs no sparse convolution in %d groups; run it dense"
              .formatted(convolution.groups()));
    }
    if (w.rank() != 4 || images.rank() != 4 || w.dim(1) != images.dim(1)) {
      throw new IllegalArgumentException("filters %s do not fit images %s".formatted(w, images));
    }
    Shape results =
        Shape.of(
            images.dim(0),
            w.dim(0),
            window.outHeight(images.dim(2)),
            window.outWidth(images.dim(3)));
    Shape matrix = Shape.of(w.dim(0), w.size() / w.dim(0));
    DeviceMask flat = mask == null ? null : new DeviceMask(mask.words(), matrix);
    PackedWeight packed = device.sparse().pack(weight.view(matrix), false, flat);
    return new UnrolledFilters(device, convolution, images, results, packed);
  }

  private long places() {
    return results.dim(2) * results.dim(3);
  }

  /** Workspace of one image: its columns, these as rows, and its product. */
  private long bytesAnImage() {
    return 4 * places() * (2 * in() + out());
  }

  /** Images whose columns are made at once. */
  private long chunk() {
    return Math.clamp(MOST_BYTES / Math.max(1, bytesAnImage()), 1, Math.max(1, images.dim(0)));
  }

  @Override
  public long workspaceBytes() {
    return chunk() * bytesAnImage();
  }

  /** The convolution of x, as {@link SparseOps#convolve} has it. */
  public void convolve(DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace) {
    if (!x.shape().equals(images) || !y.shape().equals(results)) {
      throw new IllegalArgumentException(
          "filters packed for images %s to %s cannot convolve %s to %s"
              .formatted(images, results, x.shape(), y.shape()));
    }
    long chunk = chunk();
    for (long first = 0; first < images.dim(0); first += chunk) {
      chunk(x, epilogue, y, workspace, new Range(first, Math.min(chunk, images.dim(0) - first)));
    }
  }

  private record Range(long first, long count) {}

  private void chunk(
      DeviceTensor x, Epilogue epilogue, DeviceTensor y, Buffer workspace, Range range) {
    long rows = range.count * places();
    DeviceTensor columns = new DeviceTensor(workspace, 0, DType.F32, Shape.of(in(), rows));
    DeviceTensor unrolled =
        new DeviceTensor(workspace, 4 * in() * rows, DType.F32, Shape.of(rows, in()));
    DeviceTensor product =
        new DeviceTensor(workspace, 8 * in() * rows, DType.F32, Shape.of(rows, out()));
    int[] swap = {1, 0};
    device.images().im2col(convolution.window(), part(x, range), columns);
    device.nn().transpose(swap, columns, unrolled);
    device.sparse().matmul(matrix, unrolled, epilogue, product, workspace);
    device
        .nn()
        .transpose(
            new int[] {0, 2, 1},
            product.view(Shape.of(range.count, places(), out())),
            part(y, range).view(Shape.of(range.count, out(), places())));
  }

  private static DeviceTensor part(DeviceTensor t, Range range) {
    long[] dims = t.shape().dims();
    long each = t.size() / dims[0];
    dims[0] = range.count;
    return new DeviceTensor(
        t.buffer(), t.byteOffset() + 4 * range.first * each, DType.F32, Shape.of(dims));
  }

  @Override
  public long out() {
    return matrix.out();
  }

  @Override
  public long in() {
    return matrix.in();
  }

  @Override
  public long nonzeros() {
    return matrix.nonzeros();
  }

  @Override
  public long byteSize() {
    return matrix.byteSize();
  }

  @Override
  public SparseFormat format() {
    return matrix.format();
  }

  @Override
  public void close() {
    matrix.close();
  }
}
