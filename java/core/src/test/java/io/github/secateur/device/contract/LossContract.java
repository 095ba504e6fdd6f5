package io.github.secateur.device.contract;

import static io.github.secateur.device.contract.Numbers.assertClose;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Softmax, cross-entropy, mean squared error. */
public interface LossContract extends Contract {
  /** Rows and columns. */
  int[][] MATRICES = {
    {1, 1}, {1, 2}, {2, 10}, {7, 31}, {13, 32}, {3, 33}, {64, 10}, {65, 63}, {5, 1000}, {1000, 10}
  };

  private static double[] softmax(float[] x, int rows, int cols) {
    double[] y = new double[rows * cols];
    for (int r = 0; r < rows; r++) {
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < cols; c++) {
        max = Math.max(max, x[r * cols + c]);
      }
      double sum = 0;
      for (int c = 0; c < cols; c++) {
        y[r * cols + c] = Math.exp(x[r * cols + c] - max);
        sum += y[r * cols + c];
      }
      for (int c = 0; c < cols; c++) {
        y[r * cols + c] /= sum;
      }
    }
    return y;
  }

  @Test
  default void computesSoftmax() {
    for (int[] m : MATRICES) {
      Shape shape = Shape.of(m[0], m[1]);
      Numbers.finite(m[0] * m[1])
          .forEach(
              (name, x) -> {
                try (Fixture f = new Fixture(device())) {
                  DeviceTensor y = f.out(shape);
                  device().nn().softmax(f.in(shape, x), y);
                  DeviceTensor inPlace = f.inOut(shape, x);
                  device().nn().softmax(inPlace, inPlace);
                  float[] actual = f.read(y);
                  String what = "softmax of " + shape + ", " + name;
                  assertClose(what, softmax(x, m[0], m[1]), actual, 1e-5, 1e-30);
                  Numbers.assertBits(what + " in place", actual, f.read(inPlace));
                }
              });
    }
  }

  @Test
  default void keepsSoftmaxFiniteForExtremeLogits() {
    float[] x = {1e30f, -1e30f, 0, 88, Float.NEGATIVE_INFINITY, 1, -1e5f, -1e5f, -1e5f};
    try (Fixture f = new Fixture(device())) {
      DeviceTensor y = f.out(3, 3);
      device().nn().softmax(f.in(Shape.of(3, 3), x), y);
      assertClose("extreme logits", softmax(x, 3, 3), f.read(y), 1e-6, 1e-37);
      DeviceTensor nan = f.out(2, 2);
      device().nn().softmax(f.in(Shape.of(2, 2), Float.NaN, 1, 2, 3), nan);
      float[] rows = f.read(nan);
      assertTrue(Float.isNaN(rows[0]) && Float.isNaN(rows[1]), "a NaN makes its row NaN");
      assertTrue(rows[2] + rows[3] > 0.999f, "and no other");
    }
  }

  @Test
  default void takesSoftmaxOverTheLastAxisOfAnyRank() {
    float[] x = Numbers.gaussian(24, 1);
    try (Fixture f = new Fixture(device())) {
      DeviceTensor y = f.out(2, 3, 4);
      device().nn().softmax(f.in(Shape.of(2, 3, 4), x), y);
      assertClose("rank 3", softmax(x, 6, 4), f.read(y), 1e-5, 0);
      DeviceTensor one = f.out(5);
      device().nn().softmax(f.in(1, 2, 3, 4, 5), one);
      assertClose("rank 1", softmax(new float[] {1, 2, 3, 4, 5}, 1, 5), f.read(one), 1e-5, 0);
      device().nn().softmax(f.in(Shape.of(0, 3)), f.out(0, 3));
      device().nn().softmaxGrad(f.in(Shape.of(0, 3)), f.in(Shape.of(0, 3)), f.out(0, 3));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().softmax(f.scalar(1), f.out(new long[0])));
    }
  }

  @Test
  default void differentiatesSoftmax() {
    for (int[] m : MATRICES) {
      int cols = m[1];
      Shape shape = Shape.of(m[0], cols);
      float[] dy = Numbers.gaussian(m[0] * cols, 2);
      double[] exact = softmax(Numbers.gaussian(m[0] * cols, 3), m[0], cols);
      float[] y = new float[exact.length];
      double[] expected = new double[exact.length];
      for (int r = 0; r < m[0]; r++) {
        double dot = 0;
        for (int i = r * cols; i < (r + 1) * cols; i++) {
          y[i] = (float) exact[i];
          dot += (double) y[i] * dy[i];
        }
        for (int i = r * cols; i < (r + 1) * cols; i++) {
          expected[i] = y[i] * (dy[i] - dot);
        }
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor dx = f.out(shape);
        DeviceTensor inPlace = f.inOut(shape, dy);
        DeviceTensor yIn = f.in(shape, y);
        device().nn().softmaxGrad(yIn, f.in(shape, dy), dx);
        device().nn().softmaxGrad(yIn, inPlace, inPlace);
        assertClose("softmax gradient " + shape, expected, f.read(dx), 1e-5, 1e-6);
        Numbers.assertBits("in place", f.read(dx), f.read(inPlace));
      }
    }
  }

  @Test
  default void computesCrossEntropyAndItsGradient() {
    for (int[] m : MATRICES) {
      float[] x = Numbers.gaussian(m[0] * m[1], 4);
      int[] labels = new Random(5).ints(m[0], 0, m[1]).toArray();
      labels[0] = m[1] - 1;
      double[] p = softmax(x, m[0], m[1]);
      double loss = 0;
      double[] gradient = p.clone();
      for (int r = 0; r < m[0]; r++) {
        loss -= Math.log(p[r * m[1] + labels[r]]) / m[0];
        gradient[r * m[1] + labels[r]] -= 1;
      }
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] *= 0.5 / m[0];
      }
      Shape shape = Shape.of(m[0], m[1]);
      try (Fixture f = new Fixture(device())) {
        DeviceTensor probabilities = f.out(shape);
        DeviceTensor lossOut = f.out(new long[0]);
        DeviceTensor labelsIn = f.in(Tensor.ofInts(Shape.of(m[0]), labels));
        device().nn().softmaxCrossEntropy(f.in(shape, x), labelsIn, probabilities, lossOut);
        assertClose("loss " + shape, loss, f.read(lossOut)[0], 1e-5, 1e-6);
        assertClose("probabilities " + shape, p, f.read(probabilities), 1e-5, 1e-30);
        DeviceTensor dx = f.out(shape);
        device().nn().softmaxCrossEntropyGrad(probabilities, labelsIn, f.scalar(0.5f), dx);
        assertClose("gradient " + shape, gradient, f.read(dx), 1e-5, 1e-6 / m[0]);
        device()
            .nn()
            .softmaxCrossEntropyGrad(probabilities, labelsIn, f.scalar(0.5f), probabilities);
        Numbers.assertBits("gradient in place", f.read(dx), f.read(probabilities));
      }
    }
  }

  @Test
  default void keepsCrossEntropyFiniteForConfidentMistakes() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor loss = f.out(new long[0]);
      DeviceTensor label = f.in(Tensor.ofInts(Shape.of(1), 1));
      device().nn().softmaxCrossEntropy(f.in(Shape.of(1, 2), 200, -200), label, f.out(1, 2), loss);
      assertClose("loss", 400, f.read(loss)[0], 1e-6, 0);
    }
  }

  @Test
  default void refusesLabelsThatAreNoClass() {
    try (Fixture f = new Fixture(device())) {
      for (int bad : new int[] {3, -1}) {
        DeviceTensor x = f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
        DeviceTensor labels = f.in(Tensor.ofInts(Shape.of(2), 0, bad));
        DeviceTensor p = f.out(2, 3);
        DeviceTensor loss = f.out(new long[0]);
        try {
          device().nn().softmaxCrossEntropy(x, labels, p, loss);
          // A device that does not wait can only spoil the result.
          assertTrue(Float.isNaN(f.read(loss)[0]), "the loss of a label that is no class");
        } catch (IllegalArgumentException e) {
          assertTrue(e.getMessage().contains(Integer.toString(bad)), e.getMessage());
        }
      }
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .nn()
                  .softmaxCrossEntropy(
                      f.in(Shape.of(0, 3)),
                      f.in(Tensor.ofInts(Shape.of(0))),
                      f.out(0, 3),
                      f.out(new long[0])));
    }
  }

  @Test
  default void computesMeanSquaredErrorAndItsGradient() {
    for (int n : SIZES) {
      if (n == 0) {
        continue;
      }
      float[] x = Numbers.gaussian(n, 6);
      float[] t = Numbers.gaussian(n, 7);
      double loss = 0;
      double[] gradient = new double[n];
      for (int i = 0; i < n; i++) {
        double difference = (double) x[i] - t[i];
        loss += difference * difference / n;
        gradient[i] = 3.0 * 2 * difference / n;
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor dx = f.in(x);
        DeviceTensor dt = f.in(t);
        DeviceTensor lossOut = f.out(new long[0]);
        device().nn().mse(dx, dt, lossOut);
        assertClose("mse " + n, loss, f.read(lossOut)[0], 2 * Numbers.sumError(n), 0);
        DeviceTensor out = f.out(n);
        device().nn().mseGrad(dx, dt, f.scalar(3), out);
        assertClose("mse gradient " + n, gradient, f.read(out), 1e-6, 1e-7 / n);
      }
    }
  }
}
