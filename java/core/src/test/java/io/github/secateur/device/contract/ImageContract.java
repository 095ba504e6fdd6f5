package io.github.secateur.device.contract;

import static io.github.secateur.device.contract.Numbers.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.ImageOps.Convolution;
import io.github.secateur.device.ImageOps.Extent;
import io.github.secateur.device.ImageOps.Pads;
import io.github.secateur.device.ImageOps.Window;
import io.github.secateur.device.contract.ImageCases.Case;
import io.github.secateur.device.contract.ImageCases.Conv;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Columns, convolutions and pooling. */
public interface ImageContract extends Contract {
  @Test
  default void laysOutColumnsAndAddsThemBack() {
    for (Case over : ImageCases.WINDOWS) {
      float[] x = gaussian((int) over.x().size(), 1);
      float[] columns = gaussian((int) over.columns().size(), 2);
      double[] laidOut = new double[columns.length];
      double[] added = new double[x.length];
      int plane = (int) (over.x().dim(2) * over.x().dim(3));
      int outPlane = (int) (over.y().dim(2) * over.y().dim(3));
      int batch = (int) over.x().dim(0);
      int channels = (int) over.x().dim(1);
      Extent kernel = over.window().kernel();
      for (int n = 0; n < batch; n++) {
        for (int c = 0; c < channels; c++) {
          int image = (n * channels + c) * plane;
          int rows = c * kernel.h() * kernel.w();
          int first = n * outPlane;
          ImageCases.forAll(
              over,
              (k, l, in, out) -> {
                int at = ((rows + k * kernel.w() + l) * batch * outPlane) + first + out;
                laidOut[at] = x[image + in];
                added[image + in] += columns[at];
              });
        }
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor out = f.out(over.columns());
        device().images().im2col(over.window(), f.in(over.x(), x), out);
        Numbers.assertExact("columns of " + over, laidOut, f.read(out));
        DeviceTensor back = f.out(over.x());
        device().images().col2im(over.window(), f.in(over.columns(), columns), back);
        Numbers.assertClose("images of columns of " + over, added, f.read(back), 1e-6, 1e-5);
      }
    }
  }

  @Test
  default void convolvesInEveryDirection() {
    for (Conv conv : ImageCases.convolutions()) {
      float[] x = gaussian((int) conv.over().x().size(), 3);
      float[] w = gaussian((int) conv.w().size(), 4);
      float[] dy = gaussian((int) conv.y().size(), 5);
      float[] bias = gaussian((int) conv.outputs(), 6);
      // Sums and sums of magnitudes: y, dx, dw.
      double[][] sums = {new double[dy.length], new double[x.length], new double[w.length]};
      double[][] sizes = {new double[dy.length], new double[x.length], new double[w.length]};
      ImageCases.forProducts(
          conv,
          (i, j, k) -> {
            add(sums[0], sizes[0], k, (double) x[i] * w[j]);
            add(sums[1], sizes[1], i, (double) dy[k] * w[j]);
            add(sums[2], sizes[2], j, (double) dy[k] * x[i]);
          });
      double[] biased = sums[0].clone();
      int outPlane = (int) (conv.y().dim(2) * conv.y().dim(3));
      for (int i = 0; i < biased.length; i++) {
        biased[i] += bias[i / outPlane % bias.length];
      }
      Convolution convolution = conv.convolution();
      try (Fixture f = new Fixture(device());
          Buffer workspace =
              device()
                  .allocate(
                      device().images().workspaceBytes(convolution, conv.over().x(), conv.w()))) {
        DeviceTensor xIn = f.in(conv.over().x(), x);
        DeviceTensor wIn = f.in(conv.w(), w);
        DeviceTensor dyIn = f.in(conv.y(), dy);
        DeviceTensor y = f.out(conv.y());
        DeviceTensor dx = f.out(conv.over().x());
        DeviceTensor dw = f.out(conv.w());
        device().images().convolve(convolution, xIn, wIn, null, y, workspace);
        near("convolution " + conv, sums[0], sizes[0], f.read(y));
        device().images().convolve(convolution, xIn, wIn, f.in(bias), y, workspace);
        near("biased convolution " + conv, biased, sizes[0], f.read(y));
        device().images().convolveInputGradient(convolution, dyIn, wIn, dx, workspace);
        near("input gradient " + conv, sums[1], sizes[1], f.read(dx));
        device().images().convolveWeightGradient(convolution, xIn, dyIn, dw, workspace);
        near("weight gradient " + conv, sums[2], sizes[2], f.read(dw));
        float[] first = f.read(dw);
        device().images().convolveWeightGradient(convolution, xIn, dyIn, dw, workspace);
        Numbers.assertBits("weight gradient again", first, f.read(dw));
      }
    }
  }

  private static void add(double[] sum, double[] size, int at, double product) {
    sum[at] += product;
    size[at] += Math.abs(product);
  }

  /** Within 1e-5 of the sum of the magnitudes. */
  private static void near(String what, double[] wanted, double[] size, float[] got) {
    assertEquals(wanted.length, got.length, what);
    for (int i = 0; i < got.length; i++) {
      if (!(Math.abs(got[i] - wanted[i]) <= 1e-5 * (size[i] + Math.abs(wanted[i])))) {
        fail("%s: element %d is %s, wanted %s".formatted(what, i, got[i], wanted[i]));
      }
    }
  }

  @Test
  default void keepsTheLargestUnderTheWindow() {
    for (Case over : ImageCases.WINDOWS) {
      int size = (int) over.x().size();
      float[] ties = gaussian(size, 7);
      for (int i = 0; i < size; i++) {
        ties[i] = Math.round(2 * ties[i]);
      }
      float[] special = gaussian(size, 8);
      for (int i = 0; i < size; i += 3) {
        special[i] = i % 2 == 0 ? Float.NEGATIVE_INFINITY : i % 5 == 0 ? Float.NaN : -0f;
      }
      checkMaxPool(over, ties);
      checkMaxPool(over, special);
    }
  }

  private void checkMaxPool(Case over, float[] x) {
    int count = (int) over.y().size();
    double[] largest = new double[count];
    Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    int[] winners = new int[count];
    Arrays.fill(winners, -1);
    float[] dy = gaussian(count, 9);
    double[] dx = new double[x.length];
    forPlanes(
        over,
        (image, first) ->
            ImageCases.forAll(
                over,
                (k, l, in, out) -> {
                  float value = x[image + in];
                  int at = first + out;
                  boolean nan = Float.isNaN(value) && !Double.isNaN(largest[at]);
                  if (winners[at] < 0 || value > largest[at] || nan) {
                    largest[at] = value;
                    winners[at] = in;
                  }
                }));
    int plane = (int) (over.x().dim(2) * over.x().dim(3));
    int outPlane = (int) (over.y().dim(2) * over.y().dim(3));
    for (int i = 0; i < count; i++) {
      if (winners[i] >= 0) {
        dx[i / outPlane * plane + winners[i]] += dy[i];
      }
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor xIn = f.in(over.x(), x);
      DeviceTensor y = f.out(over.y());
      DeviceTensor places = f.inOut(Tensor.zeros(DType.I32, over.y()));
      device().images().maxPool(over.window(), xIn, y, places);
      Numbers.assertExact("largest under " + over, largest, f.read(y));
      assertArrayEquals(winners, f.tensor(places).toInts(), "winners under " + over);
      DeviceTensor alone = f.out(over.y());
      device().images().maxPool(over.window(), xIn, alone, null);
      Numbers.assertExact("without places", largest, f.read(alone));
      DeviceTensor gradient = f.out(over.x());
      device().images().maxPoolGradient(over.window(), f.in(over.y(), dy), places, gradient);
      Numbers.assertClose("gradient under " + over, dx, f.read(gradient), 1e-6, 1e-6);
    }
  }

  @Test
  default void averagesUnderTheWindow() {
    for (Case over : ImageCases.WINDOWS) {
      for (boolean padding : new boolean[] {false, true}) {
        checkAveragePool(over, padding);
      }
    }
  }

  private void checkAveragePool(Case over, boolean padding) {
    float[] x = gaussian((int) over.x().size(), 10);
    float[] dy = gaussian((int) over.y().size(), 11);
    int outPlane = (int) (over.y().dim(2) * over.y().dim(3));
    int[] places = new int[outPlane];
    ImageCases.forAll(over, (k, l, in, out) -> places[out]++);
    if (padding) {
      Arrays.fill(places, over.window().kernel().h() * over.window().kernel().w());
    }
    double[] means = new double[dy.length];
    double[] dx = new double[x.length];
    forPlanes(
        over,
        (image, first) ->
            ImageCases.forAll(
                over,
                (k, l, in, out) -> {
                  means[first + out] += (double) x[image + in] / places[out];
                  dx[image + in] += (double) dy[first + out] / places[out];
                }));
    try (Fixture f = new Fixture(device())) {
      DeviceTensor y = f.out(over.y());
      device().images().averagePool(over.window(), padding, f.in(over.x(), x), y);
      Numbers.assertClose("mean under " + over, means, f.read(y), 1e-6, 1e-6);
      DeviceTensor gradient = f.out(over.x());
      device().images().averagePoolGradient(over.window(), padding, f.in(over.y(), dy), gradient);
      Numbers.assertClose("gradient under " + over, dx, f.read(gradient), 1e-6, 1e-6);
    }
  }

  /** Takes the first elements of a plane of x and of y. */
  interface Planes {
    void at(int x, int y);
  }

  private static void forPlanes(Case over, Planes planes) {
    int plane = (int) (over.x().dim(2) * over.x().dim(3));
    int outPlane = (int) (over.y().dim(2) * over.y().dim(3));
    for (int p = 0; p < over.x().dim(0) * over.x().dim(1); p++) {
      planes.at(p * plane, p * outPlane);
    }
  }

  /** A window may see nothing but padding: its largest value is −∞ of no place, its mean 0. */
  @Test
  default void poolsPaddingAlone() {
    Window window = new Window(Extent.ONE, Extent.ONE, Extent.ONE, new Pads(1, 0, 0, 0));
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(Shape.of(1, 1, 1, 1), 5);
      DeviceTensor y = f.out(1, 1, 2, 1);
      DeviceTensor places = f.inOut(Tensor.zeros(DType.I32, y.shape()));
      device().images().maxPool(window, x, y, places);
      assertArrayEquals(new float[] {Float.NEGATIVE_INFINITY, 5}, f.read(y));
      assertArrayEquals(new int[] {-1, 0}, f.tensor(places).toInts());
      DeviceTensor dx = f.out(1, 1, 1, 1);
      device().images().maxPoolGradient(window, f.in(y.shape(), 3, 4), places, dx);
      assertArrayEquals(new float[] {4}, f.read(dx));
      device().images().averagePool(window, false, x, y);
      assertArrayEquals(new float[] {0, 5}, f.read(y));
    }
  }

  @Test
  default void namesImagesThatDoNotFit() {
    Window window = new Window(new Extent(3, 3), Extent.ONE, Extent.ONE, Pads.NONE);
    Convolution convolution = new Convolution(window, 2);
    try (Fixture f = new Fixture(device());
        Buffer workspace = device().allocate(1024)) {
      DeviceTensor x = f.in(Shape.of(1, 4, 5, 5), new float[100]);
      DeviceTensor y = f.out(1, 4, 3, 3);
      DeviceTensor small = f.in(Shape.of(1, 4, 2, 5), new float[40]);
      refuses("[1, 4, 2, 5]", images -> images.maxPool(window, small, y, null));
      refuses("[1, 4, 3, 3]", images -> images.averagePool(window, true, x, x));
      refuses("[36, 9]", images -> images.im2col(window, x, y));
      refuses("[5]", images -> images.maxPool(window, f.in(1, 2, 3, 4, 5), y, null));
      DeviceTensor w = f.in(Shape.of(4, 4, 3, 3), new float[144]);
      refuses("[4, 4, 3, 3]", images -> images.convolve(convolution, x, w, null, y, workspace));
      refuses(
          "[3, 2, 3, 3]",
          images -> images.workspaceBytes(convolution, x.shape(), Shape.of(3, 2, 3, 3)));
      DeviceTensor half = f.in(Shape.of(4, 2, 3, 3), new float[72]);
      refuses("[1, 4, 5, 5]", images -> images.convolve(convolution, x, half, null, x, workspace));
      refuses("bias", images -> images.convolve(convolution, x, half, x, y, workspace));
    }
  }

  private void refuses(String named, Consumer<ImageOps> call) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> call.accept(device().images()));
    assertTrue(e.getMessage().contains(named), e.getMessage());
  }
}
