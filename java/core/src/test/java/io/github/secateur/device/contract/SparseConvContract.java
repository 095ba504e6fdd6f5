package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.SparseOps.Epilogue;
import io.github.secateur.device.SparseOps.PackedFilters;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sparse convolutions: |error| ≤ 1e-5 (|w||x| + |bias|), element by element. */
public interface SparseConvContract extends Contract {
  /**
   * One case.
   *
   * @param x images
   * @param outputs filters
   */
  record Case(Shape x, int outputs, Window window) {}

  private static Window window(int kernel, int stride, int dilation, int pad) {
    return new Window(
        new Extent(kernel, kernel),
        new Extent(stride, stride),
        new Extent(dilation, dilation),
        new Pads(pad, pad, pad, pad));
  }

  /** Ordinary layers, and windows of every unevenness. */
  Case[] CASES = {
    new Case(Shape.of(3, 1, 12, 12), 5, window(5, 1, 1, 0)),
    new Case(Shape.of(2, 4, 9, 9), 7, window(3, 1, 1, 1)),
    new Case(Shape.of(5, 3, 8, 8), 4, window(3, 2, 1, 1)),
    new Case(Shape.of(2, 6, 5, 7), 9, window(1, 1, 1, 0)),
    new Case(Shape.of(1, 2, 11, 10), 3, window(3, 1, 2, 2)),
    new Case(
        Shape.of(2, 2, 1, 30),
        3,
        new Window(new Extent(1, 7), new Extent(1, 3), new Extent(1, 2), new Pads(0, 4, 0, 5))),
    new Case(Shape.of(1, 1, 1, 1), 1, window(1, 1, 1, 0)),
  };

  @Test
  default void convolvesWithWhatFiltersKeep() {
    for (Case c : CASES) {
      for (double density : new double[] {0, 0.2, 1}) {
        check(c, density, false);
        check(c, density, true);
      }
    }
  }

  private void check(Case c, double density, boolean masked) {
    Random random = new Random(5);
    Window window = c.window;
    Shape shape = Shape.of(c.outputs, c.x.dim(1), window.kernel().h(), window.kernel().w());
    float[] w = new float[Math.toIntExact(shape.size())];
    Mask mask = Mask.ones(shape);
    int kept = 0;
    for (int i = 0; i < w.length; i++) {
      boolean keep = random.nextDouble() < density;
      kept += keep ? 1 : 0;
      w[i] = keep ? (float) random.nextGaussian() : masked ? 3f : -0f;
      mask.set(i, keep);
    }
    float[] x = Numbers.gaussian(Math.toIntExact(c.x.size()), 6);
    float[] bias = Numbers.gaussian(c.outputs, 7);
    Shape out =
        Shape.of(c.x.dim(0), c.outputs, window.outHeight(c.x.dim(2)), window.outWidth(c.x.dim(3)));
    try (Fixture f = new Fixture(device());
        DeviceMask onDevice = device().toDevice(mask);
        PackedFilters filters =
            device()
                .sparse()
                .packFilters(
                    new Convolution(window, 1), c.x, f.in(shape, w), masked ? onDevice : null);
        Buffer workspace = device().allocate(Math.max(4, filters.workspaceBytes()))) {
      assertEquals(kept, filters.nonzeros());
      assertEquals(c.outputs, filters.out());
      assertEquals(out, filters.results());
      DeviceTensor dx = f.in(c.x, x);
      DeviceTensor y = f.out(out.dims());
      device().sparse().convolve(filters, dx, Epilogue.of(f.in(bias)), y, workspace);
      compare(c, w, mask, x, bias, f.read(y));
      DeviceTensor relu = f.out(out.dims());
      Epilogue after = new Epilogue(f.in(bias), NnOps.Unary.RELU, 0);
      device().sparse().convolve(filters, dx, after, relu, workspace);
      float[] plain = f.read(y);
      float[] cut = f.read(relu);
      for (int i = 0; i < cut.length; i++) {
        assertEquals(Math.max(plain[i], 0f), cut[i], 0f);
      }
    }
  }

  private static void compare(Case c, float[] w, Mask mask, float[] x, float[] bias, float[] y) {
    Window v = c.window;
    int channels = (int) c.x.dim(1);
    int height = (int) c.x.dim(2);
    int width = (int) c.x.dim(3);
    int at = 0;
    for (int n = 0; n < c.x.dim(0); n++) {
      for (int o = 0; o < c.outputs; o++) {
        for (int i = 0; i < v.outHeight(height); i++) {
          for (int j = 0; j < v.outWidth(width); j++, at++) {
            double sum = bias[o];
            double size = Math.abs(bias[o]);
            int k = o * channels * v.kernel().h() * v.kernel().w();
            for (int ch = 0; ch < channels; ch++) {
              for (int a = 0; a < v.kernel().h(); a++) {
                for (int b = 0; b < v.kernel().w(); b++, k++) {
                  int row = i * v.stride().h() + a * v.dilation().h() - v.pads().top();
                  int col = j * v.stride().w() + b * v.dilation().w() - v.pads().left();
                  boolean inside = row >= 0 && row < height && col >= 0 && col < width;
                  if (inside && mask.kept(k)) {
                    double term =
                        (double) w[k] * x[((n * channels + ch) * height + row) * width + col];
                    sum += term;
                    size += Math.abs(term);
                  }
                }
              }
            }
            double error = Math.abs(y[at] - sum);
            assertTrue(error <= 1e-5 * size, c + ", element " + at + ": " + y[at] + ", not " + sum);
          }
        }
      }
    }
  }

  @Test
  default void groupsRunSparseOrAreRefusedInOneSentence() {
    Window window = window(3, 1, 1, 1);
    try (Fixture f = new Fixture(device())) {
      DeviceTensor w = f.in(Shape.of(4, 1, 3, 3), Numbers.gaussian(36, 8));
      Convolution depthwise = new Convolution(window, 4);
      Shape x = Shape.of(1, 4, 5, 5);
      try (PackedFilters filters = device().sparse().packFilters(depthwise, x, w, null)) {
        assertEquals(36, filters.nonzeros());
      } catch (DeviceException e) {
        assertEquals(DeviceException.Status.UNAVAILABLE, e.status());
        assertTrue(e.getMessage().contains("4 groups"), e.getMessage());
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .sparse()
                  .packFilters(new Convolution(window, 1), Shape.of(1, 3, 5, 5), w, null));
    }
  }
}
