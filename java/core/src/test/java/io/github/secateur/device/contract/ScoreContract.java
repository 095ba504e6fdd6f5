package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PruneOps.GradientScore;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.device.PruneOps.Statistic;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Scores of weights, of units and of activations. */
public interface ScoreContract extends Contract {
  /** Rows and columns. */
  int[][] UNIT_MATRICES = {
    {1, 1}, {1, 13}, {13, 1}, {31, 33}, {32, 64}, {63, 65}, {300, 784}, {5000, 7}, {3, 10_007}
  };

  @Test
  default void scoresWeightsByMagnitude() {
    for (int n : SIZES) {
      for (DType dtype : Halves.TYPES) {
        Numbers.all(n).forEach((name, w) -> checkMagnitude(dtype, name, Halves.rounded(dtype, w)));
      }
    }
  }

  private void checkMagnitude(DType dtype, String name, float[] w) {
    Shape shape = Shape.of(w.length);
    for (Norm norm : Norm.values()) {
      float[] expected = new float[w.length];
      for (int i = 0; i < w.length; i++) {
        expected[i] = norm == Norm.L1 ? Math.abs(w[i]) : w[i] * w[i];
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor scores = f.out(shape);
        device().prune().scoreMagnitude(norm, f.in(Halves.of(dtype, shape, w)), scores);
        String what = "%s of %s %s".formatted(norm, dtype, name);
        Numbers.assertExact(what, Numbers.widen(expected), f.read(scores));
      }
    }
  }

  @Test
  default void scoresWeightsByTheirGradients() {
    for (int n : SIZES) {
      float[] g = Numbers.gaussian(n, 50);
      for (DType dtype : Halves.TYPES) {
        Numbers.all(n)
            .forEach(
                (name, w) ->
                    checkGradient(dtype, name, Halves.rounded(dtype, w), Halves.rounded(dtype, g)));
      }
    }
  }

  private void checkGradient(DType dtype, String name, float[] w, float[] g) {
    Shape shape = Shape.of(w.length);
    float[] before = Numbers.gaussian(w.length, 51);
    for (GradientScore kind : GradientScore.values()) {
      float[] expected = new float[w.length];
      float[] accumulated = new float[w.length];
      for (int i = 0; i < w.length; i++) {
        expected[i] =
            switch (kind) {
              case TAYLOR -> Math.abs(w[i] * g[i]);
              case MOVEMENT -> -(w[i] * g[i]);
              case FISHER -> g[i] * g[i];
            };
        accumulated[i] = before[i] + expected[i];
      }
      String what = "%s of %s %s".formatted(kind, dtype, name);
      try (Fixture f = new Fixture(device())) {
        DeviceTensor dw = f.in(Halves.of(dtype, shape, w));
        DeviceTensor dg = f.in(Halves.of(dtype, shape, g));
        DeviceTensor scores = f.out(shape);
        device().prune().scoreGradient(kind, false, dw, dg, scores);
        Numbers.assertExact(what, Numbers.widen(expected), f.read(scores));
        DeviceTensor sums = f.inOut(shape, before);
        DeviceTensor unused = kind == GradientScore.FISHER ? null : dw;
        device().prune().scoreGradient(kind, true, unused, dg, sums);
        Numbers.assertExact(what + ", accumulated", Numbers.widen(accumulated), f.read(sums));
      }
    }
  }

  @Test
  default void scoresUnitsAndActivationsOfHalfTypes() {
    for (DType dtype : Halves.TYPES) {
      Shape shape = Shape.of(65, 33);
      float[] w = Halves.rounded(dtype, Numbers.gaussian(65 * 33, 52));
      double[] expected = new double[33];
      for (int i = 0; i < w.length; i++) {
        expected[i % 33] += Math.abs(w[i]);
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor dw = f.in(Halves.of(dtype, shape, w));
        DeviceTensor scores = f.out(33);
        device().prune().scoreUnits(Norm.L1, 1, dw, scores);
        Numbers.assertClose(dtype + " units", expected, f.read(scores), 1e-6, 0);
        DeviceTensor accumulators = f.doubles(4, 33);
        device().prune().accumulateActivation(dw, accumulators);
        device().prune().activationScores(Statistic.MEAN_ABS, 1, accumulators, scores);
        Numbers.assertClose(dtype + " activations", expected, f.read(scores), 1e-7, 0);
      }
    }
  }

  @Test
  default void scoresUnitsByTheirNorm() {
    for (int[] m : UNIT_MATRICES) {
      float[] w = Numbers.gaussian(m[0] * m[1], 1);
      w[w.length / 2] = 0;
      for (int axis = 0; axis < 2; axis++) {
        for (Norm norm : Norm.values()) {
          double[] expected = new double[m[axis]];
          for (int i = 0; i < w.length; i++) {
            int unit = axis == 0 ? i / m[1] : i % m[1];
            expected[unit] += norm == Norm.L1 ? Math.abs(w[i]) : (double) w[i] * w[i];
          }
          for (int u = 0; norm == Norm.L2 && u < expected.length; u++) {
            expected[u] = Math.sqrt(expected[u]);
          }
          try (Fixture f = new Fixture(device())) {
            DeviceTensor scores = f.out(m[axis]);
            device().prune().scoreUnits(norm, axis, f.in(Shape.of(m[0], m[1]), w), scores);
            Numbers.assertClose(
                "%s of axis %d of %dx%d".formatted(norm, axis, m[0], m[1]),
                expected,
                f.read(scores),
                Numbers.sumError(m[1 - axis]) + 1e-7,
                0);
          }
        }
      }
    }
  }

  @Test
  default void scoresUnitsOfEmptyMatrices() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor scores = f.out(3);
      device().prune().scoreUnits(Norm.L2, 0, f.in(Shape.of(3, 0)), scores);
      Numbers.assertExact("a norm over nothing", new double[3], f.read(scores));
      device().prune().scoreUnits(Norm.L1, 0, f.in(Shape.of(0, 3)), f.out(0));
    }
  }

  @Test
  default void averagesActivationsOverBatches() {
    for (int units : new int[] {1, 31, 33, 300}) {
      double[][] sums = new double[4][units];
      double magnitude = 0;
      int count = 0;
      try (Fixture f = new Fixture(device())) {
        DeviceTensor accumulators = f.doubles(4, units);
        for (int rows : new int[] {1, 64, 97}) {
          float[] x = Numbers.gaussian(rows * units, rows);
          for (int i = 0; i < x.length; i++) {
            x[i] = x[i] < 0 ? (i % 2 == 0 ? 0f : -0f) : x[i]; // as after ReLU
            sums[0][i % units] += x[i];
            sums[1][i % units] += Math.abs(x[i]);
            sums[2][i % units] += (double) x[i] * x[i];
            sums[3][i % units] += x[i] == 0 ? 0 : 1;
            magnitude += Math.abs(x[i]);
          }
          count += rows;
          device().prune().accumulateActivation(f.in(Shape.of(rows, units), x), accumulators);
        }
        for (Statistic statistic : Statistic.values()) {
          double[] expected = new double[units];
          for (int u = 0; u < units; u++) {
            double mean = sums[statistic.ordinal()][u] / count;
            expected[u] = statistic == Statistic.RMS ? Math.sqrt(mean) : mean;
          }
          DeviceTensor scores = f.out(units);
          device().prune().activationScores(statistic, count, accumulators, scores);
          Numbers.assertClose(
              statistic + " of " + units, expected, f.read(scores), 1e-7, 1e-14 * magnitude);
        }
      }
    }
  }

  @Test
  default void keepsTheSignOfTheMean() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor accumulators = f.doubles(4, 2);
      device().prune().accumulateActivation(f.in(Shape.of(2, 2), -1, 2, -3, -4), accumulators);
      DeviceTensor scores = f.out(2);
      device().prune().activationScores(Statistic.MEAN, 2, accumulators, scores);
      Numbers.assertExact("mean", new double[] {-2, -1}, f.read(scores));
      device().prune().activationScores(Statistic.MEAN_ABS, 2, accumulators, scores);
      Numbers.assertExact("mean |x|", new double[] {2, 3}, f.read(scores));
    }
  }

  @Test
  default void refusesScoresThatDoNotFit() {
    try (Fixture f = new Fixture(device())) {
      DeviceTensor w = f.in(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
      DeviceTensor accumulators = f.doubles(4, 2);
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().scoreGradient(GradientScore.TAYLOR, false, null, w, f.out(2, 3)));
      assertThrows(
          IllegalArgumentException.class,
          () ->
              device()
                  .prune()
                  .scoreMagnitude(Norm.L1, f.in(Tensor.ofInts(Shape.of(1), 1)), f.out(1)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().scoreUnits(Norm.L1, 0, w, f.out(3)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().scoreUnits(Norm.L1, 2, w, f.out(3)));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().accumulateActivation(w, accumulators));
      assertThrows(
          IllegalArgumentException.class,
          () -> device().prune().activationScores(Statistic.RMS, 0, accumulators, f.out(2)));
    }
  }
}
