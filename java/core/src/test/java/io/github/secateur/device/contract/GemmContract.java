package io.github.secateur.device.contract;

import static io.github.secateur.device.contract.Numbers.gaussian;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Dense products: |error| ≤ 2(k + 2) ε (|alpha| |A||B| + |beta C|), element by element. */
public interface GemmContract extends Contract {
  @Test
  default void multipliesInEveryOrientation() {
    int[][] sizes = {
      {1, 1, 1}, {1, 7, 3}, {7, 1, 13}, {31, 33, 32}, {64, 65, 63}, {100, 300, 784}, {257, 10, 129}
    };
    for (int[] size : sizes) {
      for (int t = 0; t < 4; t++) {
        check(new Gemm((t & 1) != 0, (t & 2) != 0, 1, 0), size[0], size[1], size[2]);
        check(new Gemm((t & 1) != 0, (t & 2) != 0, -0.5f, 2), size[0], size[1], size[2]);
      }
    }
  }

  private void check(Gemm gemm, int m, int n, int k) {
    float[] a = gaussian(m * k, 1);
    float[] b = gaussian(k * n, 2);
    float[] c = gaussian(m * n, 3);
    try (Fixture f = new Fixture(device())) {
      DeviceTensor da = f.in(gemm.transposeA() ? Shape.of(k, m) : Shape.of(m, k), a);
      DeviceTensor db = f.in(gemm.transposeB() ? Shape.of(n, k) : Shape.of(k, n), b);
      Shape shape = Shape.of(m, n);
      // With beta = 0 the output holds NaN before and is not read.
      DeviceTensor dc = gemm.beta() == 0 ? f.out(shape) : f.inOut(shape, c);
      device().dense().gemm(gemm, da, db, dc);
      float[] actual = f.read(dc);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          double bound = 0;
          for (int l = 0; l < k; l++) {
            double product =
                (double) a[gemm.transposeA() ? l * m + i : i * k + l]
                    * b[gemm.transposeB() ? j * k + l : l * n + j];
            sum += product;
            bound += Math.abs(product);
          }
          double old = gemm.beta() == 0 ? 0 : gemm.beta() * c[i * n + j];
          double expected = gemm.alpha() * sum + old;
          double tolerance =
              2 * (k + 2) * 0x1p-24 * (Math.abs(gemm.alpha()) * bound + Math.abs(old));
          double got = actual[i * n + j];
          if (!(Math.abs(got - expected) <= tolerance)) {
            fail(
                "%s %dx%dx%d: C[%d,%d] is %s not %s".formatted(gemm, m, n, k, i, j, got, expected));
          }
        }
      }
    }
  }

  @Test
  default void multipliesEmptyMatrices() {
    try (Fixture f = new Fixture(device())) {
      device().dense().gemm(Gemm.of(false, false), f.in(Shape.of(0, 3)), at(f, 3, 2), f.out(0, 2));
      device().dense().gemm(Gemm.of(false, false), at(f, 2, 3), f.in(Shape.of(3, 0)), f.out(2, 0));
      // An inner dimension of 0 leaves beta C: zeros here.
      DeviceTensor c = f.out(2, 2);
      device().dense().gemm(Gemm.of(false, false), f.in(Shape.of(2, 0)), f.in(Shape.of(0, 2)), c);
      Numbers.assertExact("k = 0", new double[4], f.read(c));
    }
  }

  private static DeviceTensor at(Fixture f, int rows, int cols) {
    return f.in(Shape.of(rows, cols), gaussian(rows * cols, 5));
  }

  @Test
  default void namesShapesThatDoNotMultiply() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor a = at(f, 2, 3);
      DeviceTensor c = f.out(2, 2);
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device().dense().gemm(Gemm.of(false, false), a, a, c));
      assertTrue(e.getMessage().contains("[2, 3]"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> device().dense().gemm(Gemm.of(false, true), a, a.view(Shape.of(6)), c));
    }
  }
}
