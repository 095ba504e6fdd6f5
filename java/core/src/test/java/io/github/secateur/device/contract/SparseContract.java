package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedWeight;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sparse products: |error| ≤ 1e-5 (|W||x| + |bias|), element by element. */
public interface SparseContract extends Contract {
  /** Batch sizes round the paths and panels of the layouts. */
  int[] BATCHES = {0, 1, 2, 7, 8, 9, 31, 63, 64, 65, 100, 257};

  /** Outputs and inputs. */
  int[][] WEIGHTS = {
    {1, 1}, {1, 31}, {13, 1}, {10, 100}, {33, 65}, {64, 128}, {300, 784}, {7, 1009}
  };

  private static float[] sparse(int n, double density, long seed) {
    Random random = new Random(seed);
    float[] w = new float[n];
    for (int i = 0; i < n; i++) {
      boolean nonzero = random.nextDouble() < density;
      w[i] = nonzero ? (float) random.nextGaussian() : i % 2 == 0 ? 0f : -0f;
    }
    return w;
  }

  @Test
  default void multipliesAtEveryDensityAndBatch() {
    for (int[] size : WEIGHTS) {
      for (double density : new double[] {0, 0.02, 0.1, 0.5, 1}) {
        float[] w = sparse(size[0] * size[1], density, 1);
        for (int batch : BATCHES) {
          check(size[0], size[1], batch, w, batch % 2 == 0);
        }
      }
    }
  }

  private void check(int out, int in, int batch, float[] w, boolean transposed) {
    float[] x = Numbers.gaussian(batch * in, 2);
    float[] bias = batch % 3 == 0 ? null : Numbers.gaussian(out, 3);
    float[] stored = w;
    if (transposed) {
      stored = new float[w.length];
      for (int i = 0; i < w.length; i++) {
        stored[i % in * out + i / in] = w[i];
      }
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor dw = f.in(transposed ? Shape.of(in, out) : Shape.of(out, in), stored);
      try (PackedWeight packed = device().sparse().pack(dw, transposed, null);
          Buffer workspace = workspace(packed, batch)) {
        DeviceTensor y = f.out(batch, out);
        DeviceTensor dbias = bias == null ? null : f.in(bias);
        DeviceTensor dx = f.in(Shape.of(batch, in), x);
        device().sparse().matmul(packed, dx, Epilogue.of(dbias), y, workspace);
        compare(out, in, w, x, bias, f.read(y));
      }
    }
  }

  private Buffer workspace(PackedWeight packed, int batch) {
    return device().allocate(device().sparse().workspaceBytes(packed, batch));
  }

  private static void compare(int out, int in, float[] w, float[] x, float[] bias, float[] y) {
    for (int i = 0; i < y.length; i++) {
      int row = i / out;
      int o = i % out;
      double sum = bias == null ? 0 : bias[o];
      double bound = Math.abs(sum);
      for (int j = 0; j < in; j++) {
        double product = (double) w[o * in + j] * x[row * in + j];
        sum += product;
        bound += Math.abs(product);
      }
      if (!(Math.abs(y[i] - sum) <= 1e-5 * bound)) {
        fail("W [%d, %d], y[%d, %d] is %s not %s".formatted(out, in, row, o, y[i], sum));
      }
    }
  }

  @Test
  default void leavesOutZerosAndMaskedWeights() {
    float[] w = sparse(20 * 30, 0.5, 4);
    Mask mask = Mask.ones(Shape.of(20, 30));
    float[] effective = w.clone();
    int nonzeros = 0;
    for (int i = 0; i < w.length; i++) {
      if (i % 3 == 0) {
        mask.set(i, false);
        effective[i] = 0;
        w[i] = i % 6 == 0 ? Float.NaN : w[i]; // whatever they hold
      }
      nonzeros += effective[i] != 0 ? 1 : 0;
    }
    float[] x = Numbers.gaussian(9 * 30, 5);
    try (Fixture f = new Fixture(device())) {
      DeviceMask dmask = f.in(mask);
      try (PackedWeight packed = device().sparse().pack(f.in(Shape.of(20, 30), w), false, dmask);
          Buffer workspace = workspace(packed, 9)) {
        assertEquals(20, packed.out());
        assertEquals(30, packed.in());
        assertEquals(nonzeros, packed.nonzeros());
        assertTrue(packed.byteSize() > 0);
        assertEquals("csr", packed.format().label());
        DeviceTensor y = f.out(9, 20);
        device().sparse().matmul(packed, f.in(Shape.of(9, 30), x), Epilogue.NONE, y, workspace);
        compare(20, 30, effective, x, null, f.read(y));
      }
    }
  }

  @Test
  default void refusesShapesAndWorkspacesThatDoNotFit() {
    try (Fixture f = new Fixture(device());
        PackedWeight packed =
            device().sparse().pack(f.in(Shape.of(2, 3), 1, 0, 2, 0, 3, 0), false, null);
        Buffer workspace = workspace(packed, 64)) {
      DeviceTensor x = f.in(Shape.of(1, 2), 1, 2);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().sparse().matmul(packed, x, Epilogue.NONE, f.out(1, 2), workspace));
      assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      DeviceTensor right = f.in(Shape.of(1, 3), 1, 2, 3);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .sparse()
                  .matmul(packed, right, Epilogue.of(f.in(1, 2, 3)), f.out(1, 2), workspace));
      long needed = device().sparse().workspaceBytes(packed, 1000);
      if (needed > 0) {
        try (Buffer small = device().allocate(needed - 1)) {
          DeviceTensor many = f.in(Shape.of(1000, 3), Numbers.gaussian(3000, 6));
          assertThrows(
              IllegalArgumentException.class,
              () -> device().sparse().matmul(packed, many, Epilogue.NONE, f.out(1000, 2), small));
        }
      }
      assertThrows(
          IllegalArgumentException.class, () -> device().sparse().pack(f.in(1, 2), false, null));
    }
  }
}
