package io.github.secateur.bench;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/** Weights and activations for benchmarks, from seeds. */
final class Data {
  private Data() {}

  /** Normal numbers, as magnitude pruning finds weights. */
  static Tensor normal(long seed, long... dims) {
    SplittableRandom random = new SplittableRandom(seed);
    Tensor t = Tensor.zeros(DType.F32, Shape.of(dims));
    for (long i = 0; i < t.size(); i++) {
      t.setFloat(i, (float) random.nextGaussian());
    }
    return t;
  }

  /** The same numbers as F16 or BF16, rounded to nearest. */
  static Tensor as(DType type, Tensor f32) {
    Tensor t = Tensor.zeros(type, f32.shape());
    for (long i = 0; i < t.size(); i++) {
      float value = f32.getFloat(i);
      short bits =
          switch (type) {
            case F16 -> Float.floatToFloat16(value);
            case BF16 -> {
              int b = Float.floatToRawIntBits(value);
              yield (short) ((b + 0x7fff + (b >>> 16 & 1)) >>> 16);
            }
            default -> throw new IllegalArgumentException("F16 or BF16, not " + type);
          };
      t.data().setAtIndex(ValueLayout.JAVA_SHORT, i, bits);
    }
    return t;
  }

  /** A matrix [rows, cols] as [cols, rows]. */
  static Tensor transposed(Tensor t) {
    long rows = t.shape().dim(0);
    long cols = t.shape().dim(1);
    Tensor out = Tensor.zeros(DType.F32, Shape.of(cols, rows));
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < cols; c++) {
        out.setFloat(c * rows + r, t.getFloat(r * cols + c));
      }
    }
    return out;
  }

  /** Number of elements that are not ±0. */
  static long nonzeros(Tensor t) {
    long count = 0;
    for (long i = 0; i < t.size(); i++) {
      count += t.getFloat(i) != 0 ? 1 : 0;
    }
    return count;
  }

  /** Which weights of a matrix are zero. */
  enum Pattern {
    UNSTRUCTURED("single weights"),
    BLOCKS_4X1("4×1 blocks"),
    N2M4("2:4");

    private final String words;

    Pattern(String words) {
      this.words = words;
    }

    String words() {
      return words;
    }

    /**
     * Normal weights [size, size] pruned by magnitude: single ones, by 2:4, or, with the norms of
     * 4×1 blocks, in blocks of four outputs.
     */
    Tensor weights(Device device, int size, double sparsity) {
      Tensor w = normal(7, size, size);
      long n = w.size();
      return switch (this) {
        case UNSTRUCTURED -> {
          long pruned = Math.round(sparsity * n);
          yield masked(device, w, (d, mask) -> select(device, d, mask, pruned));
        }
        case N2M4 ->
            masked(
                device,
                w,
                (d, mask) ->
                    device
                        .prune()
                        .selectNM(PruneOps.Key.ABS, new PruneOps.NM(2, 4, 1), d, null, mask));
        case BLOCKS_4X1 -> blocks(device, w, size, sparsity);
      };
    }

    private interface Selector {
      void select(DeviceTensor weights, DeviceMask mask);
    }

    private static void select(Device device, DeviceTensor d, DeviceMask mask, long pruned) {
      device
          .prune()
          .select(
              PruneOps.Key.ABS,
              List.of(new PruneOps.Segment(d, null, mask, 0)),
              new long[] {pruned});
    }

    private static Tensor masked(Device device, Tensor w, Selector selector) {
      try (DeviceTensor d = device.toDevice(w);
          DeviceMask mask = device.toDevice(Mask.ones(w.shape()))) {
        selector.select(d, mask);
        device.prune().applyMask(mask, d);
        return device.toHost(d);
      }
    }

    private static Tensor blocks(Device device, Tensor w, int size, double sparsity) {
      int height = 4;
      Tensor norms = Tensor.zeros(DType.F32, Shape.of(size / height, size));
      for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
          long at = (long) (r / height) * size + c;
          norms.setFloat(at, norms.getFloat(at) + Math.abs(w.getFloat((long) r * size + c)));
        }
      }
      long pruned = Math.round(sparsity * norms.size());
      Tensor kept = masked(device, norms, (d, mask) -> select(device, d, mask, pruned));
      for (int r = 0; r < size; r++) {
        for (int c = 0; c < size; c++) {
          if (kept.getFloat((long) (r / height) * size + c) == 0) {
            w.setFloat((long) r * size + c, 0);
          }
        }
      }
      return w;
    }
  }
}
