package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedWeight;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Backward products of sparse weights: |error| ≤ 1e-5 of the sum of magnitudes. */
public interface SparseTrainingContract extends Contract {
  /** Batch sizes. */
  int[] TRAINING_BATCHES = {0, 1, 8, 33, 64};

  /** Outputs and inputs. */
  int[][] TRAINING_WEIGHTS = {{1, 1}, {13, 1}, {1, 31}, {33, 65}, {100, 300}};

  /** A weight [out, in], stored one way or the other, under a mask of the same layout. */
  final class Layer {
    final int out;
    final int in;
    final boolean transposed;
    final float[] stored;
    final Mask mask;

    Layer(int out, int in, boolean transposed, double density) {
      this.out = out;
      this.in = in;
      this.transposed = transposed;
      this.stored = Numbers.gaussian(out * in, 1);
      this.mask = Mask.ones(shape());
      Random random = new Random(2);
      for (int i = 0; i < stored.length; i++) {
        mask.set(i, random.nextDouble() < density);
        stored[i] = i % 7 == 3 ? (i % 2 == 0 ? 0f : -0f) : stored[i];
      }
    }

    Shape shape() {
      return transposed ? Shape.of(in, out) : Shape.of(out, in);
    }

    int index(int o, int i) {
      return transposed ? i * out + o : o * in + i;
    }

    /** All that the mask keeps: zeros too, so that they can grow. */
    boolean isStored(int index) {
      return mask.kept(index);
    }
  }

  private void forEachLayer(java.util.function.Consumer<Layer> test) {
    for (int[] size : TRAINING_WEIGHTS) {
      for (double density : new double[] {0, 0.1, 0.6, 1}) {
        test.accept(new Layer(size[0], size[1], false, density));
        test.accept(new Layer(size[0], size[1], true, density));
      }
    }
  }

  private Buffer scratch(PackedWeight packed, int batch) {
    return device().allocate(device().sparse().workspaceBytes(packed, batch));
  }

  @Test
  default void multipliesBackwardToInputs() {
    forEachLayer(
        layer -> {
          try (Fixture f = new Fixture(device());
              PackedWeight packed =
                  device()
                      .sparse()
                      .packTrainable(
                          f.in(layer.shape(), layer.stored), layer.transposed, f.in(layer.mask))) {
            for (int batch : TRAINING_BATCHES) {
              float[] dy = Numbers.gaussian(batch * layer.out, 3);
              DeviceTensor dx = f.out(batch, layer.in);
              try (Buffer workspace = scratch(packed, batch)) {
                DeviceTensor ddy = f.in(Shape.of(batch, layer.out), dy);
                device().sparse().inputGradient(packed, ddy, dx, workspace);
              }
              compareInputs(layer, layer.stored, dy, f.read(dx));
            }
          }
        });
  }

  private static void compareInputs(Layer layer, float[] values, float[] dy, float[] dx) {
    for (int k = 0; k < dx.length; k++) {
      int row = k / layer.in;
      double sum = 0;
      double bound = 0;
      for (int o = 0; o < layer.out; o++) {
        int index = layer.index(o, k % layer.in);
        if (layer.isStored(index)) {
          double product = (double) dy[row * layer.out + o] * values[index];
          sum += product;
          bound += Math.abs(product);
        }
      }
      if (!(Math.abs(dx[k] - sum) <= 1e-5 * bound)) {
        fail("dx[%d] is %s not %s".formatted(k, dx[k], sum));
      }
    }
  }

  @Test
  default void givesGradientsOnlyWhereWeightsLive() {
    forEachLayer(
        layer -> {
          try (Fixture f = new Fixture(device());
              PackedWeight packed =
                  device()
                      .sparse()
                      .packTrainable(
                          f.in(layer.shape(), layer.stored), layer.transposed, f.in(layer.mask))) {
            for (int batch : TRAINING_BATCHES) {
              float[] x = Numbers.gaussian(batch * layer.in, 4);
              float[] dy = Numbers.gaussian(batch * layer.out, 5);
              DeviceTensor gradient = f.out(layer.shape());
              try (Buffer workspace = scratch(packed, batch)) {
                device()
                    .sparse()
                    .weightGradient(
                        packed,
                        f.in(Shape.of(batch, layer.in), x),
                        f.in(Shape.of(batch, layer.out), dy),
                        gradient,
                        workspace);
              }
              compareWeights(layer, batch, x, dy, f.read(gradient));
            }
          }
        });
  }

  private static void compareWeights(Layer layer, int batch, float[] x, float[] dy, float[] got) {
    for (int o = 0; o < layer.out; o++) {
      for (int i = 0; i < layer.in; i++) {
        int index = layer.index(o, i);
        double sum = 0;
        double bound = 0;
        for (int b = 0; b < batch && layer.isStored(index); b++) {
          double product = (double) dy[b * layer.out + o] * x[b * layer.in + i];
          sum += product;
          bound += Math.abs(product);
        }
        if (!layer.isStored(index)) {
          assertEquals(0, Float.floatToRawIntBits(got[index]), "no weight lives at " + index);
        } else if (!(Math.abs(got[index] - sum) <= 1e-5 * bound)) {
          fail("gradient[%d] is %s not %s".formatted(index, got[index], sum));
        }
      }
    }
  }

  @Test
  default void takesNewValuesInTheSamePattern() {
    forEachLayer(
        layer -> {
          float[] values = Numbers.gaussian(layer.stored.length, 6);
          for (int i = 0; i < values.length; i++) {
            // Outside the pattern nothing is looked at; a zero inside it stays stored.
            values[i] = !layer.isStored(i) ? Float.NaN : i % 5 == 0 ? 0f : values[i];
          }
          int batch = 9;
          float[] dy = Numbers.gaussian(batch * layer.out, 7);
          float[] x = Numbers.gaussian(batch * layer.in, 8);
          try (Fixture f = new Fixture(device());
              PackedWeight packed =
                  device()
                      .sparse()
                      .packTrainable(
                          f.in(layer.shape(), layer.stored), layer.transposed, f.in(layer.mask));
              Buffer workspace = scratch(packed, batch)) {
            long nonzeros = packed.nonzeros();
            DeviceTensor ddy = f.in(Shape.of(batch, layer.out), dy);
            DeviceTensor dx = f.out(batch, layer.in);
            DeviceTensor y = f.out(batch, layer.out);
            device().sparse().inputGradient(packed, ddy, dx, workspace); // a plan for old values
            device().sparse().refresh(packed, f.in(layer.shape(), values));
            device().sparse().inputGradient(packed, ddy, dx, workspace);
            compareInputs(layer, values, dy, f.read(dx));
            DeviceTensor px = f.in(Shape.of(batch, layer.in), x);
            device().sparse().matmul(packed, px, Epilogue.NONE, y, workspace);
            compareOutputs(layer, values, x, f.read(y));
            assertEquals(nonzeros, packed.nonzeros());
            // Back again: what was zero for a while can live.
            device().sparse().refresh(packed, f.in(layer.shape(), layer.stored));
            device().sparse().matmul(packed, px, Epilogue.NONE, y, workspace);
            compareOutputs(layer, layer.stored, x, f.read(y));
          }
        });
  }

  private static void compareOutputs(Layer layer, float[] values, float[] x, float[] y) {
    for (int k = 0; k < y.length; k++) {
      int row = k / layer.out;
      double sum = 0;
      double bound = 0;
      for (int i = 0; i < layer.in; i++) {
        int index = layer.index(k % layer.out, i);
        if (layer.isStored(index)) {
          double product = (double) x[row * layer.in + i] * values[index];
          sum += product;
          bound += Math.abs(product);
        }
      }
      if (!(Math.abs(y[k] - sum) <= 1e-5 * bound)) {
        fail("y[%d] is %s not %s".formatted(k, y[k], sum));
      }
    }
  }

  /** One step of descent from a kept weight of 0: it has a gradient, moves, and is multiplied. */
  @Test
  default void letsKeptZerosGrow() {
    for (boolean transposed : new boolean[] {false, true}) {
      Shape shape = transposed ? Shape.of(3, 2) : Shape.of(2, 3);
      Mask mask = Mask.ones(shape);
      int pruned = transposed ? 2 : 1; // W[0][1]
      mask.set(pruned, false);
      try (Fixture f = new Fixture(device());
          PackedWeight packed =
              device()
                  .sparse()
                  .packTrainable(f.in(shape, 0, 0, -0f, 0, 0, 0), transposed, f.in(mask));
          Buffer workspace = scratch(packed, 1)) {
        assertEquals(5, packed.nonzeros());
        DeviceTensor x = f.in(Shape.of(1, 3), 1, 10, 100);
        DeviceTensor dy = f.in(Shape.of(1, 2), -1, -2);
        DeviceTensor gradient = f.out(shape);
        device().sparse().weightGradient(packed, x, dy, gradient, workspace);
        float[] g = f.read(gradient);
        assertArrayEquals(
            transposed
                ? new float[] {-1, -2, 0, -20, -100, -200}
                : new float[] {-1, 0, -100, -2, -20, -200},
            g);
        float[] grown = new float[6];
        for (int i = 0; i < 6; i++) {
          grown[i] = -g[i];
        }
        grown[pruned] = Float.NaN;
        device().sparse().refresh(packed, f.in(shape, grown));
        DeviceTensor y = f.out(1, 2);
        device().sparse().matmul(packed, x, Epilogue.NONE, y, workspace);
        assertArrayEquals(new float[] {10001, 20202}, f.read(y));
      }
    }
  }

  /** Without a mask, what is not ±0 is the pattern. */
  @Test
  default void leavesZerosOutWithoutAMask() {
    try (Fixture f = new Fixture(device());
        PackedWeight packed =
            device()
                .sparse()
                .packTrainable(f.in(Shape.of(2, 3), 1, 0, 2, -0f, 3, 0), false, null)) {
      assertEquals(3, packed.nonzeros());
    }
  }

  @Test
  default void refusesToTrainWhatWasPackedForProducts() {
    try (Fixture f = new Fixture(device());
        PackedWeight packed =
            device().sparse().pack(f.in(Shape.of(2, 3), 1, 0, 2, 0, 3, 0), false, null);
        PackedWeight trainable =
            device().sparse().packTrainable(f.in(Shape.of(2, 3), 1, 0, 2, 0, 3, 0), false, null);
        Buffer workspace = scratch(trainable, 4)) {
      assertTrue(trainable.byteSize() > packed.byteSize());
      DeviceTensor dy = f.in(Shape.of(4, 2), Numbers.gaussian(8, 9));
      DeviceTensor dx = f.out(4, 3);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().sparse().inputGradient(packed, dy, dx, workspace));
      assertTrue(e.getMessage().contains("packTrainable"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> device().sparse().weightGradient(packed, dx, dy, f.out(2, 3), workspace));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().sparse().refresh(packed, f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6)));
      e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().sparse().inputGradient(trainable, dx, dx, workspace));
      assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> device().sparse().weightGradient(trainable, dx, dy, f.out(3, 2), workspace));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().sparse().refresh(trainable, f.in(1, 2, 3, 4, 5, 6)));
    }
  }
}
