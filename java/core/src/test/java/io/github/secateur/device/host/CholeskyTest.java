package io.github.secateur.device.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Cholesky;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both factorisations on the same matrices; products of the results give the matrix back. */
class CholeskyTest {
  static Stream<Cholesky> both() {
    return Stream.of(Cholesky.PLAIN, Cholesky.best());
  }

  @Test
  void openBlasHasLapack() {
    assertTrue(assertInstanceOf(LapackCholesky.class, Cholesky.best()).isNative());
  }

  @ParameterizedTest
  @MethodSource("both")
  void theFactorTimesItsTransposeIsTheMatrix(Cholesky cholesky) {
    for (int n : new int[] {0, 1, 2, 7, 64, 129}) {
      double[] a = definite(n);
      double[] l = a.clone();
      assertTrue(cholesky.factor(l, n));
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          for (int k = 0; k < n; k++) {
            sum += l[i * n + k] * l[j * n + k];
          }
          assertEquals(a[i * n + j], sum, 1e-11 * n);
          assertTrue(j <= i || l[i * n + j] == 0);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void theInverseTimesTheMatrixIsOne(Cholesky cholesky) {
    for (int n : new int[] {0, 1, 2, 7, 64, 129}) {
      double[] a = definite(n);
      double[] inverse = a.clone();
      assertTrue(cholesky.factor(inverse, n));
      cholesky.invert(inverse, n);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          for (int k = 0; k < n; k++) {
            sum += inverse[i * n + k] * a[k * n + j];
          }
          assertEquals(i == j ? 1 : 0, sum, 1e-9);
          assertEquals(inverse[i * n + j], inverse[j * n + i]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("both")
  void onlyTheLowerTriangleIsRead(Cholesky cholesky) {
    double[] a = definite(9);
    double[] lower = a.clone();
    for (int i = 0; i < 9; i++) {
      for (int j = i + 1; j < 9; j++) {
        lower[i * 9 + j] = Double.NaN;
      }
    }
    assertTrue(cholesky.factor(a, 9));
    assertTrue(cholesky.factor(lower, 9));
    assertArrayEquals(a, lower);
  }

  @ParameterizedTest
  @MethodSource("both")
  void anIndefiniteMatrixIsRefused(Cholesky cholesky) {
    assertFalse(cholesky.factor(new double[] {1, 2, 2, 1}, 2));
    assertFalse(cholesky.factor(new double[] {0}, 1));
    assertFalse(cholesky.factor(new double[] {4, 0, 0, 0, -1, 0, 0, 0, 4}, 3));
  }

  @Test
  void equalMatricesGiveEqualBitsOnAnyThread() {
    double[] a = definite(150);
    double[][] factors =
        IntStream.range(0, 8)
            .parallel()
            .mapToObj(
                i -> {
                  double[] l = a.clone();
                  Cholesky.best().factor(l, 150);
                  Cholesky.best().invert(l, 150);
                  return l;
                })
            .toArray(double[][]::new);
    for (double[] factor : factors) {
      assertArrayEquals(factors[0], factor);
    }
  }

  /** X Xᵀ + 0.1 · I. */
  private static double[] definite(int n) {
    SplittableRandom random = new SplittableRandom(n);
    double[] x = random.doubles((long) n * n, -1, 1).toArray();
    double[] a = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (int k = 0; k < n; k++) {
          a[i * n + j] += x[i * n + k] * x[j * n + k];
        }
      }
      a[i * n + i] += 0.1;
    }
    return a;
  }
}
