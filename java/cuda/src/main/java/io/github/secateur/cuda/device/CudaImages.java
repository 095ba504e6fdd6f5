package io.github.secateur.cuda.device;

import io.github.secateur.cuda.device.CudaDense.Batch;
import io.github.secateur.cuda.device.CudaDense.Matrices;
import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps.Binary;
import io.github.secateur.device.abi.ImageShapes;
import io.github.secateur.device.abi.NativeImages;
import io.github.secateur.device.abi.Shapes;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import java.lang.foreign.Arena;

/**
 * Image operations of the CUDA device. A convolution is im2col and matrix products by cuBLAS, some
 * images at a time, so that the workspace stays within bounds. With K = channels · kernel height ·
 * kernel width, M outputs and P = out height · out width:
 *
 * <pre>
 *   columns [K, images · P] = im2col of x
 *   forward          y[n] [M, P] = W [M, K] · columns of image n [K, P]          one batched product
 *   input gradient   columns of image n = Wᵀ · dy[n], then col2im                one batched product
 *   weight gradient  dW += (dy as [M, images · P]) · columnsᵀ, chunk by chunk    one product
 * </pre>
 *
 * <p>The columns of an image lie P apart in rows of images · P, which a strided batch can say, so
 * neither y nor dy is transposed but for dW. A 1 × 1 kernel of stride 1 without padding needs no
 * columns: they are x itself. Groups take slices of the rows. Nothing here allocates or waits.
 */
final class CudaImages extends NativeImages {
  /** The most that columns may take, unless those of one image alone take more. */
  private static final long MOST_WORKSPACE = 64L << 20;

  private static final long LINE = 128; // bytes; parts of the workspace begin on one
  private static final int[] IMAGES_INWARDS = {1, 0, 2};

  private final CudaDevice cuda;
  private final CudaDense dense;

  CudaImages(CudaDevice device, CudaDense dense, Arena arena) {
    super(device, arena);
    this.cuda = device;
    this.dense = dense;
  }

  /** The extents of a convolution; rows are those of one group. */
  private record Plan(Convolution convolution, Shape x, Shape w, Shape y) {
    int groups() {
      return convolution.groups();
    }

    /** Images in all. */
    long batch() {
      return x.dim(0);
    }

    /** Outputs of a group: M / groups. */
    long outputs() {
      return w.dim(0) / groups();
    }

    /** Rows of the columns of a group: K / groups. */
    long rows() {
      return w.dim(1) * w.dim(2) * w.dim(3);
    }

    /** Places of an output image, P. */
    long places() {
      return y.dim(2) * y.dim(3);
    }

    /** Whether the columns of an image are the image. */
    boolean isPointwise() {
      Window window = convolution.window();
      Pads pads = window.pads();
      return window.kernel().h() == 1
          && window.kernel().w() == 1
          && window.stride().h() == 1
          && window.stride().w() == 1
          && pads.top() + pads.left() + pads.bottom() + pads.right() == 0;
    }

    /** Images whose columns, and the transposed gradient beside them, fit the workspace. */
    long chunk() {
      long bytes = 4 * groups() * (rows() + outputs()) * places();
      return Math.clamp(MOST_WORKSPACE / bytes, 1, Math.max(1, batch()));
    }

    long columnBytes(long images) {
      return (4 * groups() * rows() * images * places() + LINE - 1) / LINE * LINE;
    }

    long workspaceBytes() {
      return columnBytes(chunk()) + 4 * groups() * outputs() * chunk() * places();
    }

    Shape columns(long images) {
      return Shape.of(groups() * rows(), images * places());
    }
  }

  private Plan plan(Convolution convolution, DeviceTensor x, DeviceTensor w, DeviceTensor y) {
    ImageShapes.convolution(arguments, convolution, x.shape(), w.shape(), y.shape());
    return new Plan(convolution, x.shape(), w.shape(), y.shape());
  }

  @Override
  public long workspaceBytes(Convolution convolution, Shape x, Shape w) {
    ImageShapes.convolution(arguments, convolution, x, w, null);
    Shape y = ImageShapes.output("convolve", convolution.window(), x, w.dim(0));
    return new Plan(convolution, x, w, y).workspaceBytes();
  }

  @Override
  public void convolve(
      Convolution convolution,
      DeviceTensor x,
      DeviceTensor w,
      DeviceTensor bias,
      DeviceTensor y,
      Buffer workspace) {
    Plan plan = plan(convolution, x, w, y);
    if (bias != null) {
      Shapes.vector("convolve: bias", bias, w.shape().dim(0), "output");
    }
    requireWorkspace("convolve", plan, workspace);
    long step = plan.isPointwise() ? plan.batch() : plan.chunk();
    for (long first = 0; first < plan.batch(); first += step) {
      long images = Math.min(step, plan.batch() - first);
      DeviceTensor from = images(x, first, images);
      Grid columns;
      if (plan.isPointwise()) {
        columns = ofImages("convolve", from, plan.rows());
      } else {
        DeviceTensor matrix = matrix(workspace, 0, plan.columns(images));
        im2col(convolution.window(), from, matrix);
        columns = ofColumns("convolve", matrix, plan);
      }
      multiply(
          plan, false, w, columns, ofImages("convolve", images(y, first, images), plan.outputs()));
    }
    if (bias != null && y.size() > 0) {
      cuda.nn().binary(Binary.ADD, y, bias.view(Shape.of(w.shape().dim(0), 1, 1)), y);
    }
  }

  @Override
  public void convolveInputGradient(
      Convolution convolution, DeviceTensor dy, DeviceTensor w, DeviceTensor dx, Buffer workspace) {
    String op = "convolveInputGradient";
    Plan plan = plan(convolution, dx, w, dy);
    requireWorkspace(op, plan, workspace);
    long step = plan.isPointwise() ? plan.batch() : plan.chunk();
    for (long first = 0; first < plan.batch(); first += step) {
      long images = Math.min(step, plan.batch() - first);
      Grid slopes = ofImages(op, images(dy, first, images), plan.outputs());
      DeviceTensor into = images(dx, first, images);
      if (plan.isPointwise()) {
        multiply(plan, true, w, slopes, ofImages(op, into, plan.rows()));
      } else {
        DeviceTensor matrix = matrix(workspace, 0, plan.columns(images));
        multiply(plan, true, w, slopes, ofColumns(op, matrix, plan));
        col2im(convolution.window(), matrix, into);
      }
    }
  }

  @Override
  public void convolveWeightGradient(
      Convolution convolution, DeviceTensor x, DeviceTensor dy, DeviceTensor dw, Buffer workspace) {
    String op = "convolveWeightGradient";
    Plan plan = plan(convolution, x, dw, dy);
    requireWorkspace(op, plan, workspace);
    if (plan.batch() == 0) {
      cuda.zero(dw.buffer(), dw.byteOffset(), 4 * dw.size());
    }
    for (long first = 0; first < plan.batch(); first += plan.chunk()) {
      long images = Math.min(plan.chunk(), plan.batch() - first);
      DeviceTensor columns = images(x, first, images);
      if (images > 1 || !plan.isPointwise()) {
        columns = matrix(workspace, 0, plan.columns(images));
        im2col(convolution.window(), images(x, first, images), columns);
      }
      DeviceTensor slopes = images(dy, first, images);
      if (images > 1) {
        long all = plan.groups() * plan.outputs();
        DeviceTensor turned =
            matrix(workspace, plan.columnBytes(images), Shape.of(all, images, plan.places()));
        cuda.nn()
            .transpose(IMAGES_INWARDS, slopes.view(Shape.of(images, all, plan.places())), turned);
        slopes = turned;
      }
      long width = images * plan.places();
      dense.batched(
          new Gemm(false, true, 1, first == 0 ? 0 : 1),
          new Batch(new Shapes.Product(plan.outputs(), plan.rows(), width), plan.groups()),
          new Matrices(device.f32(op, slopes), width, plan.outputs() * width),
          new Matrices(device.f32(op, columns), width, plan.rows() * width),
          new Matrices(device.f32(op, dw), plan.rows(), plan.outputs() * plan.rows()));
    }
  }

  /**
   * The matrices [rows, P] of some images and all groups.
   *
   * @param line elements from a row to the next
   * @param image elements from an image to the next
   * @param group elements from a group to the next
   */
  private record Grid(long address, long line, long image, long group, long images) {
    /** Those of one group, by images. */
    Matrices ofGroup(long index) {
      return new Matrices(address + 4 * index * group, line, image);
    }

    /** Those of one image, by groups. */
    Matrices ofImage(long index) {
      return new Matrices(address + 4 * index * image, line, group);
    }
  }

  /** Matrices of images [images, groups · rows, P]. */
  private Grid ofImages(String op, DeviceTensor tensor, long rows) {
    Shape shape = tensor.shape();
    long places = shape.dim(2) * shape.dim(3);
    return new Grid(
        device.f32(op, tensor), places, shape.dim(1) * places, rows * places, shape.dim(0));
  }

  /** Matrices within columns [groups · rows, images · P]. */
  private Grid ofColumns(String op, DeviceTensor columns, Plan plan) {
    long width = columns.shape().dim(1);
    long places = plan.places();
    return new Grid(device.f32(op, columns), width, places, plan.rows() * width, width / places);
  }

  /**
   * Multiplies the weights of each group by each image's matrix, in as few batches as can be.
   *
   * @param transpose whether by Wᵀ
   */
  private void multiply(Plan plan, boolean transpose, DeviceTensor w, Grid from, Grid to) {
    Gemm gemm = Gemm.of(transpose, false);
    Shapes.Product product =
        transpose
            ? new Shapes.Product(plan.rows(), plan.places(), plan.outputs())
            : new Shapes.Product(plan.outputs(), plan.places(), plan.rows());
    long weights = device.f32("convolve", w);
    long group = plan.outputs() * plan.rows();
    if (plan.groups() <= from.images()) {
      Batch batch = new Batch(product, from.images());
      for (int g = 0; g < plan.groups(); g++) {
        Matrices shared = new Matrices(weights + 4 * g * group, plan.rows(), 0);
        dense.batched(gemm, batch, shared, from.ofGroup(g), to.ofGroup(g));
      }
    } else {
      Batch batch = new Batch(product, plan.groups());
      Matrices all = new Matrices(weights, plan.rows(), group);
      for (long n = 0; n < from.images(); n++) {
        dense.batched(gemm, batch, all, from.ofImage(n), to.ofImage(n));
      }
    }
  }

  /** Some images of a tensor. */
  private static DeviceTensor images(DeviceTensor tensor, long first, long count) {
    Shape all = tensor.shape();
    Shape shape = Shape.of(count, all.dim(1), all.dim(2), all.dim(3));
    long offset = 4 * first * all.dim(1) * all.dim(2) * all.dim(3);
    return new DeviceTensor(tensor.buffer(), tensor.byteOffset() + offset, tensor.dtype(), shape);
  }

  private static DeviceTensor matrix(Buffer workspace, long offset, Shape shape) {
    return new DeviceTensor(workspace, offset, DType.F32, shape);
  }

  private static void requireWorkspace(String op, Plan plan, Buffer workspace) {
    if (workspace.byteSize() < plan.workspaceBytes()) {
      throw new IllegalArgumentException(
          "%s: a workspace of %d bytes is too small for images %s and weights %s; workspaceBytes tells its size, %d"
              .formatted(op, workspace.byteSize(), plan.x(), plan.w(), plan.workspaceBytes()));
    }
  }
}
