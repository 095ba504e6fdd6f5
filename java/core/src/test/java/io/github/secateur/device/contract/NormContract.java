package io.github.secateur.device.contract;

import static io.github.secateur.device.contract.Numbers.assertClose;
import static io.github.secateur.device.contract.Numbers.gaussian;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.ImageOps.Gradients;
import io.github.secateur.device.ImageOps.Momentum;
import io.github.secateur.device.ImageOps.Norm;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Batch normalization, clipping, and boxes copied between tensors. */
public interface NormContract extends Contract {
  /** Sizes round a tile of the sums (4096 a channel), no places, one place, matrices. */
  Shape[] NORMED = {
    Shape.of(1, 1, 1, 1),
    Shape.of(2, 1, 1, 1),
    Shape.of(4, 3, 5, 7),
    Shape.of(64, 16, 8, 8),
    Shape.of(3, 2, 64, 64),
    Shape.of(5, 2, 29, 31),
    Shape.of(1, 3, 1, 4097),
    Shape.of(100, 13),
    Shape.of(7, 5, 33)
  };

  float EPSILON = 1e-3f;
  float MOMENTUM = 0.9f;

  /** A tensor of channels, in double precision. */
  record Channels(Shape shape) {
    int count() {
      return (int) shape.dim(1);
    }

    int values() {
      return count() == 0 ? 0 : (int) (shape.size() / count());
    }

    /** The channel of an element. */
    int of(int element) {
      int spatial = (int) (shape.size() / (shape.dim(0) * shape.dim(1)));
      return element / spatial % count();
    }

    double[] sums(double[] x) {
      double[] sums = new double[count()];
      for (int i = 0; i < x.length; i++) {
        sums[of(i)] += x[i];
      }
      return sums;
    }
  }

  @Test
  default void normalizesByRunningStatistics() {
    for (Shape shape : NORMED) {
      Channels channels = new Channels(shape);
      int count = channels.count();
      float[] x = gaussian((int) shape.size(), 1);
      float[] scale = gaussian(count, 2);
      float[] shift = gaussian(count, 3);
      float[] mean = gaussian(count, 4);
      float[] variance = squares(gaussian(count, 5));
      double[] expected = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        int c = channels.of(i);
        expected[i] = scale[c] * (x[i] - mean[c]) / Math.sqrt(variance[c] + EPSILON) + shift[c];
      }
      try (Fixture f = new Fixture(device())) {
        Norm norm = new Norm(f.in(scale), f.in(shift), f.in(mean), f.in(variance));
        DeviceTensor y = f.out(shape);
        device().images().normalize(norm, EPSILON, f.in(shape, x), y);
        assertClose("normalized " + shape, expected, f.read(y), 1e-5, 1e-5);
        DeviceTensor inPlace = f.inOut(shape, x);
        device().images().normalize(norm, EPSILON, inPlace, inPlace);
        Numbers.assertBits("in place", f.read(y), f.read(inPlace));
      }
    }
  }

  private static float[] squares(float[] x) {
    float[] squares = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      squares[i] = x[i] * x[i];
    }
    return squares;
  }

  /** Also with a mean that is large beside the deviation. */
  @Test
  default void normalizesByTheBatchAndDifferentiates() {
    for (Shape shape : NORMED) {
      for (float offset : new float[] {0, 1000}) {
        checkTraining(shape, offset);
      }
    }
  }

  private void checkTraining(Shape shape, float offset) {
    Channels channels = new Channels(shape);
    int count = channels.count();
    int n = channels.values();
    float[] x = gaussian((int) shape.size(), 6);
    for (int i = 0; i < x.length; i++) {
      x[i] += offset;
    }
    float[] dy = gaussian(x.length, 7);
    float[] scale = gaussian(count, 8);
    float[] shift = gaussian(count, 9);
    double[] mean = channels.sums(Numbers.widen(x));
    for (int c = 0; c < count; c++) {
      mean[c] /= n;
    }
    double[] spread = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      spread[i] = (x[i] - mean[channels.of(i)]) * (x[i] - mean[channels.of(i)]);
    }
    double[] variance = channels.sums(spread);
    double[] inverse = new double[count];
    for (int c = 0; c < count; c++) {
      variance[c] /= n;
      inverse[c] = 1 / Math.sqrt(variance[c] + EPSILON);
    }
    double[] y = new double[x.length];
    double[] products = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int c = channels.of(i);
      double standard = (x[i] - mean[c]) * inverse[c];
      y[i] = scale[c] * standard + shift[c];
      products[i] = dy[i] * standard;
    }
    double[] dscale = channels.sums(products);
    double[] dshift = channels.sums(Numbers.widen(dy));
    double[] dx = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      int c = channels.of(i);
      double standard = (x[i] - mean[c]) * inverse[c];
      dx[i] = scale[c] * inverse[c] * (dy[i] - dshift[c] / n - standard * dscale[c] / n);
    }
    // The float mean is off by offset * 2^-24, which 1 / sqrt(EPSILON) enlarges.
    double slack = 1e-5 + offset * 0x1p-24 * 40;
    try (Fixture f = new Fixture(device())) {
      DeviceTensor runningMean = f.inOut(Numbers.constant(count, 0.5f));
      DeviceTensor runningVariance = f.inOut(Numbers.constant(count, 2));
      DeviceTensor xIn = f.in(shape, x);
      DeviceTensor scaleIn = f.in(scale);
      DeviceTensor out = f.out(shape);
      DeviceTensor statistics = f.out(2, count);
      Norm norm = new Norm(scaleIn, f.in(shift), runningMean, runningVariance);
      device()
          .images()
          .normalizeTraining(norm, new Momentum(EPSILON, MOMENTUM), xIn, out, statistics);
      String what = shape + " with mean " + offset;
      float[] both = f.read(statistics);
      assertClose("mean of " + what, mean, Arrays.copyOf(both, count), 1e-6, 1e-7);
      assertClose(
          "deviation of " + what, inverse, Arrays.copyOfRange(both, count, 2 * count), 1e-5, 0);
      assertClose("normalized " + what, y, f.read(out), slack, slack);
      double[] means = new double[count];
      double[] variances = new double[count];
      for (int c = 0; c < count; c++) {
        means[c] = MOMENTUM * 0.5 + (1 - (double) MOMENTUM) * mean[c];
        variances[c] = MOMENTUM * 2 + (1 - (double) MOMENTUM) * variance[c];
      }
      assertClose("running mean of " + what, means, f.read(runningMean), 1e-5, 1e-6);
      assertClose("running variance of " + what, variances, f.read(runningVariance), 1e-5, 1e-6);

      DeviceTensor dyIn = f.in(shape, dy);
      DeviceTensor dxOut = f.out(shape);
      DeviceTensor dnorm = f.out(2, count);
      device()
          .images()
          .normalizeGradient(scaleIn, statistics, xIn, dyIn, new Gradients(dxOut, dnorm));
      float[] gradients = f.read(dnorm);
      double sumSlack = slack * Math.sqrt(n) * 4;
      assertClose("dscale of " + what, dscale, Arrays.copyOf(gradients, count), 1e-5, sumSlack);
      assertClose(
          "dshift of " + what,
          dshift,
          Arrays.copyOfRange(gradients, count, 2 * count),
          1e-5,
          sumSlack);
      assertClose("dx of " + what, dx, f.read(dxOut), 40 * slack, 40 * slack);
      DeviceTensor inPlace = f.inOut(shape, dy);
      device()
          .images()
          .normalizeGradient(scaleIn, statistics, xIn, inPlace, new Gradients(inPlace, dnorm));
      Numbers.assertBits("dx in place of dy", f.read(dxOut), f.read(inPlace));
    }
  }

  @Test
  default void namesNormsThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
      DeviceTensor three = f.in(1, 2, 3);
      DeviceTensor two = f.in(1, 2);
      DeviceTensor y = f.out(2, 3);
      Momentum momentum = new Momentum(EPSILON, MOMENTUM);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().images().normalize(new Norm(three, two, three, three), EPSILON, x, y));
      assertTrue(e.getMessage().contains("[2]"), e.getMessage());
      Norm norm = new Norm(three, three, f.inOut(1, 2, 3), f.inOut(1, 2, 3));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().images().normalizeTraining(norm, momentum, x, y, three));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().images().normalize(norm, EPSILON, three, three));
      DeviceTensor none = f.in(Shape.of(0, 3));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device().images().normalizeTraining(norm, momentum, none, f.out(0, 3), f.out(2, 3)));
    }
  }

  @Test
  default void clipsAndDifferentiatesIt() {
    float[][] bounds = {
      {-0.5f, 0.25f},
      {0, 6},
      {Float.NEGATIVE_INFINITY, 0.5f},
      {-1, Float.POSITIVE_INFINITY},
      {2, -2}
    };
    for (int n : SIZES) {
      Numbers.all(n)
          .forEach(
              (name, x) -> {
                for (float[] b : bounds) {
                  checkClip(n + " " + name, x, b[0], b[1]);
                }
              });
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(1, 2);
      assertThrows(
          IllegalArgumentException.class, () -> device().nn().clip(Float.NaN, 1, x, f.out(2)));
    }
  }

  private void checkClip(String name, float[] x, float low, float high) {
    float[] dy = gaussian(x.length, 10);
    double[] y = new double[x.length];
    double[] dx = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.min(Math.max(x[i], low), high);
      dx[i] = low < x[i] && x[i] < high ? dy[i] : 0;
    }
    String what = "clip of " + name + " to " + low + ", " + high;
    Shape shape = Shape.of(x.length);
    try (Fixture f = new Fixture(device())) {
      DeviceTensor xIn = f.in(x);
      DeviceTensor out = f.out(shape);
      device().nn().clip(low, high, xIn, out);
      Numbers.assertExact(what, y, f.read(out));
      DeviceTensor inPlace = f.inOut(shape, x);
      device().nn().clip(low, high, inPlace, inPlace);
      Numbers.assertExact(what + " in place", y, f.read(inPlace));
      DeviceTensor gradient = f.inOut(shape, dy);
      device().nn().clipGrad(low, high, xIn, gradient, gradient);
      Numbers.assertExact(what + ", gradient", dx, f.read(gradient));
    }
  }

  @Test
  default void copiesBoxes() {
    checkBox(Shape.of(), Shape.of(), new long[0], new long[0], new long[0]);
    checkBox(Shape.of(7), Shape.of(5), new long[] {3}, new long[] {4}, new long[] {1});
    checkBox(
        Shape.of(4, 5, 6),
        Shape.of(5, 7, 6),
        new long[] {3, 4, 6},
        new long[3],
        new long[] {1, 2, 0});
    checkBox(
        Shape.of(2, 3, 4, 5),
        Shape.of(2, 9, 4, 5),
        new long[] {2, 3, 4, 5},
        new long[4],
        new long[] {0, 4, 0, 0});
    checkBox(
        Shape.of(2, 3, 8, 9),
        Shape.of(2, 3, 10, 12),
        new long[] {2, 3, 8, 9},
        new long[4],
        new long[] {0, 0, 1, 2});
    checkBox(
        Shape.of(3, 1, 2, 1, 3, 2, 2, 2),
        Shape.of(3, 2, 2, 2, 3, 2, 2, 3),
        new long[] {2, 1, 2, 1, 2, 1, 2, 2},
        new long[] {1, 0, 0, 0, 1, 1, 0, 0},
        new long[] {0, 1, 0, 1, 0, 0, 0, 1});
    checkBox(Shape.of(4, 5), Shape.of(4, 5), new long[] {0, 5}, new long[] {4, 0}, new long[2]);
    checkBox(
        Shape.of(300, 201),
        Shape.of(299, 400),
        new long[] {299, 200},
        new long[] {1, 1},
        new long[] {0, 150});
  }

  private void checkBox(Shape from, Shape to, long[] size, long[] first, long[] at) {
    int[] source = new int[(int) from.size()];
    for (int i = 0; i < source.length; i++) {
      source[i] = Float.floatToRawIntBits(Float.NaN) + i;
    }
    int[] expected = new int[(int) to.size()];
    Arrays.fill(expected, -7);
    int[] before = expected.clone();
    int count = (int) Shape.of(size).size();
    for (int i = 0; i < count; i++) {
      int rest = i;
      int read = 0;
      int write = 0;
      int readStride = 1;
      int writeStride = 1;
      for (int d = size.length - 1; d >= 0; d--) {
        int index = rest % (int) size[d];
        rest /= (int) size[d];
        read += (index + (int) first[d]) * readStride;
        write += (index + (int) at[d]) * writeStride;
        readStride *= (int) from.dim(d);
        writeStride *= (int) to.dim(d);
      }
      expected[write] = source[read];
    }
    try (Fixture f = new Fixture(device())) {
      DeviceTensor target = f.inOut(Tensor.ofInts(to, before));
      device().nn().copyBox(size, first, f.in(Tensor.ofInts(from, source)), at, target);
      assertTrue(f.tensor(target).bitEquals(Tensor.ofInts(to, expected)), from + " to " + to);
    }
  }

  @Test
  default void namesBoxesThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor x = f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
      DeviceTensor y = f.out(2, 3);
      long[] zeros = {0, 0};
      for (long[] size : new long[][] {{3, 3}, {2, 4}, {-1, 3}, {2}, {1, 1, 1}}) {
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> device().nn().copyBox(size, zeros, x, zeros, y));
        assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().copyBox(new long[] {2, 3}, new long[] {0, 1}, x, zeros, y));
      DeviceTensor doubles = f.inOut(Tensor.zeros(DType.F64, Shape.of(2, 3)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().copyBox(new long[] {1, 1}, zeros, doubles, zeros, doubles));
    }
  }
}
