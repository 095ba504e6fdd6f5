package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.Device.Replay;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseFormat;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedWeight;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Products of square blocks: |error| ≤ 1e-5 (|W||x| + |bias|), element by element. For the devices
 * that have them.
 */
public interface SparseBlockContract extends Contract {
  /** W [out, in] of which random blocks live, some rows of blocks not at all. */
  record Blocks(int block, int out, int in, float[] w, boolean[] live) {
    static Blocks of(int block, int blockRows, int blockCols, double density, long seed) {
      Random random = new Random(seed);
      int out = block * blockRows;
      int in = block * blockCols;
      boolean[] live = new boolean[blockRows * blockCols];
      float[] w = new float[out * in];
      for (int b = 0; b < live.length; b++) {
        live[b] = b / blockCols % 3 != 1 && random.nextDouble() < density;
        int only = random.nextInt(2 * block * block); // often one weight of a block alone
        for (int e = 0; e < block * block; e++) {
          int row = b / blockCols * block + e / block;
          int col = b % blockCols * block + e % block;
          boolean lives = live[b] && (only >= block * block || only == e);
          w[row * in + col] = lives ? (float) random.nextGaussian() : e % 2 == 0 ? 0f : -0f;
        }
      }
      return new Blocks(block, out, in, w, live);
    }

    int stored() {
      int count = 0;
      for (boolean l : live) {
        count += l ? 1 : 0;
      }
      return count * block * block;
    }

    float[] transposed() {
      float[] t = new float[w.length];
      for (int i = 0; i < w.length; i++) {
        t[i % in * out + i / in] = w[i];
      }
      return t;
    }

    /** Compares y [batch, out] with x · Wᵀ + bias. */
    void compare(float[] x, float[] bias, float[] y) {
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
          fail(
              "blocks of %d, W [%d, %d], y[%d, %d] is %s not %s"
                  .formatted(block, out, in, row, o, y[i], sum));
        }
      }
    }
  }

  @Test
  default void multipliesBlocks() {
    int cases = 0;
    for (int block : new int[] {2, 3, 4, 8, 16, 32}) {
      for (double density : new double[] {0, 0.1, 0.5, 1}) {
        for (int[] size : new int[][] {{1, 1}, {1, 5}, {4, 1}, {5, 3}, {7, 41}}) {
          if (block * block * size[0] * size[1] <= 40_000) {
            check(Blocks.of(block, size[0], size[1], density, cases), cases);
            cases++;
          }
        }
      }
    }
    assertTrue(cases > 90, cases + " cases");
  }

  private void check(Blocks blocks, int salt) {
    boolean transposed = salt % 2 == 1;
    float[] stored = transposed ? blocks.transposed() : blocks.w();
    int out = blocks.out();
    int in = blocks.in();
    try (Fixture f = new Fixture(device())) {
      DeviceTensor w = f.in(transposed ? Shape.of(in, out) : Shape.of(out, in), stored);
      try (PackedWeight packed =
          device()
              .sparse()
              .pack(w, transposed, null, new SparseFormat.Blocks(blocks.block(), blocks.block()))) {
        assertEquals(out, packed.out());
        assertEquals(in, packed.in());
        assertEquals(blocks.stored(), packed.nonzeros());
        assertTrue(packed.byteSize() >= 4L * blocks.stored(), packed.byteSize() + " bytes");
        for (int batch : new int[] {0, 1, 3, 64}) {
          float[] x = Numbers.gaussian(batch * in, salt + 100);
          float[] bias = (salt + batch) % 3 == 0 ? null : Numbers.gaussian(out, salt + 200);
          DeviceTensor dx = f.in(Shape.of(batch, in), x);
          DeviceTensor dbias = bias == null ? null : f.in(bias);
          DeviceTensor y = f.out(batch, out);
          try (Buffer workspace = workspace(packed, batch)) {
            device().sparse().matmul(packed, dx, Epilogue.of(dbias), y, workspace);
            device().sparse().matmul(packed, dx, Epilogue.of(dbias), y, workspace); // as planned
          }
          blocks.compare(x, bias, f.read(y));
        }
      }
    }
  }

  private Buffer workspace(PackedWeight packed, int batch) {
    return device().allocate(device().sparse().workspaceBytes(packed, batch));
  }

  @Test
  default void leavesOutMaskedWeightsOfBlocks() {
    Blocks blocks = Blocks.of(4, 6, 5, 0.8, 9);
    Mask mask = Mask.ones(Shape.of(24, 20));
    float[] w = blocks.w().clone();
    int stored = 0;
    for (int b = 0; b < blocks.live().length; b++) {
      boolean lives = false;
      for (int e = 0; e < 16; e++) {
        int at = (b / 5 * 4 + e / 4) * 20 + b % 5 * 4 + e % 4;
        if (b % 4 == 0 || e % 3 == 0) { // every fourth block whole, of others some
          mask.set(at, false);
          blocks.w()[at] = 0;
          w[at] = at % 2 == 0 ? Float.NaN : w[at]; // whatever they hold
        }
        lives |= blocks.w()[at] != 0;
      }
      stored += lives ? 16 : 0;
    }
    float[] x = Numbers.gaussian(3 * 20, 5);
    try (Fixture f = new Fixture(device())) {
      DeviceMask dmask = f.in(mask);
      try (PackedWeight packed =
              device()
                  .sparse()
                  .pack(f.in(Shape.of(24, 20), w), false, dmask, new SparseFormat.Blocks(4, 4));
          Buffer workspace = workspace(packed, 3)) {
        assertEquals(stored, packed.nonzeros());
        DeviceTensor y = f.out(3, 24);
        device().sparse().matmul(packed, f.in(Shape.of(3, 20), x), Epilogue.NONE, y, workspace);
        blocks.compare(x, null, f.read(y));
      }
    }
  }

  @Test
  default void replaysProductsOfBlocks() {
    Blocks blocks = Blocks.of(8, 5, 4, 0.5, 11);
    float[] bias = Numbers.gaussian(40, 12);
    try (Fixture f = new Fixture(device());
        PackedWeight packed =
            device()
                .sparse()
                .pack(
                    f.in(Shape.of(40, 32), blocks.w()),
                    false,
                    null,
                    new SparseFormat.Blocks(8, 8));
        Buffer workspace = workspace(packed, 7)) {
      DeviceTensor x = f.inOut(Shape.of(7, 32), new float[7 * 32]);
      DeviceTensor y = f.out(7, 40);
      DeviceTensor dbias = f.in(bias);
      try (Replay replay =
          device()
              .replay(
                  () -> device().sparse().matmul(packed, x, Epilogue.of(dbias), y, workspace))) {
        for (int run = 0; run < 4; run++) {
          float[] values = Numbers.gaussian(7 * 32, 20 + run);
          device().upload(Tensor.of(x.shape(), values), x);
          replay.run();
          blocks.compare(values, bias, f.read(y));
        }
      }
    }
  }

  @Test
  default void refusesBlocksThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor w = f.in(Shape.of(8, 12), Numbers.gaussian(96, 1));
      refused("not both are 1", w, 1);
      refused("blocks of -4 x -4", w, -4);
      refused("rank", f.in(1, 2, 3, 4), 2);
      try (PackedWeight packed =
              device().sparse().pack(w, false, null, new SparseFormat.Blocks(4, 4));
          Buffer workspace = workspace(packed, 2)) {
        assertThrows(
            IllegalArgumentException.class,
            () ->
                device()
                    .sparse()
                    .matmul(
                        packed, f.out(2, 8), Epilogue.NONE, f.out(2, 8), workspace)); // x wants 12
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class, () -> device().sparse().refresh(packed, w));
        assertTrue(e.getMessage().contains("packed for products alone"), e.getMessage());
      }
    }
  }

  private void refused(String fragment, DeviceTensor w, int block) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> device().sparse().pack(w, false, null, new SparseFormat.Blocks(block, block)));
    assertTrue(e.getMessage().contains(fragment), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }
}
