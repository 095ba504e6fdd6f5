package io.github.secateur.train;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Measures from which sparsity on a layer trains faster sparse: a forward product, the gradients
 * that training needs and the refresh of the packed values, against the same products dense, under
 * masks drawn at random. Both are timed in turns, the fastest of several samples counts, so that
 * what else runs on the machine disturbs little.
 */
final class LayerTrial implements AutoCloseable {
  /** Stands for: at no sparsity. */
  static final double NEVER = 2;

  private static final double[] SPARSITIES = {0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99};
  private static final double MINIMAL_GAIN = 0.05;
  private static final int SAMPLES = 9;

  private final Device device;
  private final DeviceTensor weight;
  private final boolean transposed;
  private final boolean inputGradient;
  private final Owner owned = new Owner();
  private final DeviceTensor x;
  private final DeviceTensor dy;
  private final DeviceTensor y;
  private final DeviceTensor dx;
  private final DeviceTensor gradient;

  /**
   * A layer.
   *
   * @param weight read, not changed
   * @param rows activations a product
   * @param inputGradient whether training needs it
   */
  LayerTrial(
      Device device, DeviceTensor weight, boolean transposed, long rows, boolean inputGradient) {
    this.device = device;
    this.weight = weight;
    this.transposed = transposed;
    this.inputGradient = inputGradient;
    long out = weight.shape().dim(transposed ? 1 : 0);
    long in = weight.shape().dim(transposed ? 0 : 1);
    try (Owner failed = new Owner()) {
      failed.add(owned);
      x = uniform(Shape.of(rows, in));
      dy = uniform(Shape.of(rows, out));
      y = uniform(dy.shape());
      dx = uniform(x.shape());
      gradient = uniform(weight.shape());
      failed.release();
    }
  }

  private DeviceTensor uniform(Shape shape) {
    SplittableRandom random = new SplittableRandom(1);
    Tensor host = Tensor.zeros(DType.F32, shape);
    for (long i = 0; i < host.size(); i++) {
      host.setFloat(i, (float) random.nextDouble());
    }
    return owned.add(device.toDevice(host));
  }

  /** The lowest sparsity of those tried from which on sparse is faster; NEVER when at none. */
  double measure() {
    int low = 0;
    int high = SPARSITIES.length;
    while (low < high) {
      int middle = (low + high) / 2;
      if (isFaster(SPARSITIES[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low == SPARSITIES.length ? NEVER : SPARSITIES[low];
  }

  private boolean isFaster(double sparsity) {
    try (DeviceMask mask = device.toDevice(mask(sparsity));
        SparseOps.PackedWeight packed = device.sparse().packTrainable(weight, transposed, mask);
        Buffer workspace =
            device.allocate(device.sparse().workspaceBytes(packed, x.shape().dim(0)))) {
      double dense = Double.POSITIVE_INFINITY;
      double sparse = Double.POSITIVE_INFINITY;
      for (int i = 0; i < SAMPLES + 1; i++) {
        double first = nanos(this::dense);
        double second = nanos(() -> sparse(packed, workspace));
        if (i > 0) { // the first sample touches memory and loads what is loaded lazily
          dense = Math.min(dense, first);
          sparse = Math.min(sparse, second);
        }
      }
      return sparse <= dense * (1 - MINIMAL_GAIN);
    }
  }

  private Mask mask(double sparsity) {
    SplittableRandom random = new SplittableRandom(2);
    Mask mask = Mask.ones(weight.shape());
    for (long i = 0; i < weight.size(); i++) {
      if (random.nextDouble() < sparsity) {
        mask.set(i, false);
      }
    }
    return mask;
  }

  private double nanos(Runnable work) {
    device.synchronize();
    long begin = System.nanoTime();
    work.run();
    device.synchronize();
    return System.nanoTime() - begin;
  }

  private void dense() {
    device.dense().gemm(Gemm.of(false, !transposed), x, weight, y);
    if (inputGradient) {
      device.dense().gemm(Gemm.of(false, transposed), dy, weight, dx);
    }
    if (transposed) {
      device.dense().gemm(Gemm.of(true, false), x, dy, gradient);
    } else {
      device.dense().gemm(Gemm.of(true, false), dy, x, gradient);
    }
  }

  private void sparse(SparseOps.PackedWeight packed, Buffer workspace) {
    SparseOps ops = device.sparse();
    ops.refresh(packed, weight);
    ops.matmul(packed, x, SparseOps.Epilogue.NONE, y, workspace);
    if (inputGradient) {
      ops.inputGradient(packed, dy, dx, workspace);
    }
    ops.weightGradient(packed, x, dy, gradient, workspace);
  }

  @Override
  public void close() {
    owned.close();
  }
}
