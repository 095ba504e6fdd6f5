package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.NnOps.Adam;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Soft threshold and hard-concrete gates (Louizos et al. 2018, equations 10 to 13). */
public interface GateContract extends Contract {
  /** Temperature and stretch. */
  double BETA = 2.0 / 3;

  /** Lower end of the stretch. */
  double GAMMA = -0.1;

  /** Upper end of the stretch. */
  double ZETA = 1.1;

  private static float[] logAlphas(int n) {
    float[] la = Numbers.gaussian(n, 1);
    for (int i = 0; i < n; i++) {
      la[i] *= 3;
    }
    if (n > 3) {
      la[0] = 30;
      la[1] = -30;
      la[2] = 0;
    }
    return la;
  }

  private static double stretched(double s) {
    return s * (ZETA - GAMMA) + GAMMA;
  }

  private static double clamp(double z) {
    return Math.min(1, Math.max(0, z));
  }

  @Test
  default void shrinksTowardsZero() {
    for (int n : SIZES) {
      Numbers.finite(n)
          .forEach(
              (name, w) -> {
                Mask mask = Mask.ones(Shape.of(n));
                float[] expected = new float[n];
                float[] masked = new float[n];
                float threshold = 0.3f;
                for (int i = 0; i < n; i++) {
                  float shrunk = Math.abs(w[i]) - threshold;
                  expected[i] = shrunk > 0 ? Math.copySign(shrunk, w[i]) : 0f;
                  mask.set(i, i % 3 != 0);
                  masked[i] = i % 3 != 0 ? expected[i] : 0f;
                }
                try (Fixture f = new Fixture(device())) {
                  DeviceTensor dw = f.inOut(w);
                  device().prune().softThreshold(f.scalar(threshold), dw, null);
                  Numbers.assertExact(name, Numbers.widen(expected), f.read(dw));
                  DeviceTensor dw2 = f.inOut(w);
                  DeviceMask dmask = f.in(mask);
                  device().prune().softThreshold(f.scalar(threshold), dw2, dmask);
                  Numbers.assertExact(name + ", masked", Numbers.widen(masked), f.read(dw2));
                  float[] values = f.read(dw2);
                  for (int i = 0; i < n; i += 3) {
                    Numbers.assertBits("pruned", new float[1], new float[] {values[i]});
                  }
                }
              });
    }
  }

  @Test
  default void shrinksTowardsZeroInTheMetricOfAdam() {
    Adam adam = new Adam(0.02f, 0.9f, 0.999f, 1e-4f, 0, false, 3);
    double root = Math.sqrt(1 - Math.pow(adam.beta2(), 3));
    float lambda = 0.5f;
    for (int n : SIZES) {
      float[] w = Numbers.gaussian(n, 1);
      float[] v = Numbers.gaussian(n, 2);
      Mask mask = Mask.ones(Shape.of(n));
      double[] expected = new double[n];
      double[] masked = new double[n];
      for (int i = 0; i < n; i++) {
        v[i] = i % 5 == 0 ? 0 : v[i] * v[i] / 100; // without a gradient the threshold is 100
        double threshold = adam.lr() * (double) lambda / (Math.sqrt(v[i]) / root + adam.epsilon());
        double shrunk = Math.abs(w[i]) - threshold;
        expected[i] = shrunk > 0 ? Math.copySign(shrunk, w[i]) : 0;
        mask.set(i, i % 3 != 0);
        masked[i] = i % 3 != 0 ? expected[i] : 0;
      }
      try (Fixture f = new Fixture(device());
          Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
        device().nn().uploadAdam(adam, block);
        DeviceTensor dv = f.in(v);
        DeviceTensor dl = f.scalar(lambda);
        DeviceTensor dw = f.inOut(w);
        device().prune().softThresholdAdam(block, dl, dv, dw, null);
        Numbers.assertClose("shrunk " + n, expected, f.read(dw), 1e-6, 1e-6);
        DeviceTensor dw2 = f.inOut(w);
        device().prune().softThresholdAdam(block, dl, dv, dw2, f.in(mask));
        Numbers.assertClose("masked " + n, masked, f.read(dw2), 1e-6, 1e-6);
        float[] values = f.read(dw2);
        for (int i = 0; i < n; i += 15) {
          Numbers.assertBits(
              "pruned, no gradient", new float[2], new float[] {values[i], f.read(dw)[i]});
        }
      }
    }
  }

  @Test
  default void samplesGatesAndDifferentiatesThem() {
    for (int n : SIZES) {
      float[] la = logAlphas(n);
      float[] dz = Numbers.gaussian(n, 2);
      try (Fixture f = new Fixture(device())) {
        DeviceTensor dla = f.in(la);
        DeviceTensor u = f.out(n);
        DeviceTensor z = f.out(n);
        DeviceTensor gradient = f.out(n);
        DeviceTensor inPlace = f.inOut(dz);
        device().nn().uniform(f.state(11, 12), 13, u);
        device().prune().hardConcrete(f.state(11, 12), 13, dla, z);
        device().prune().hardConcreteGrad(f.state(11, 12), 13, dla, f.in(dz), gradient);
        device().prune().hardConcreteGrad(f.state(11, 12), 13, dla, inPlace, inPlace);
        float[] us = f.read(u);
        float[] zs = f.read(z);
        double[] expected = new double[n];
        double[] slope = new double[n];
        for (int i = 0; i < n; i++) {
          double s = Numbers.sigmoid((Math.log(us[i]) - Math.log1p(-us[i]) + la[i]) / BETA);
          expected[i] = clamp(stretched(s));
          // On the device's own side of the clamp, so that rounding there does not matter.
          boolean clamped = zs[i] == 0 || zs[i] == 1;
          slope[i] = clamped ? 0 : dz[i] * (ZETA - GAMMA) * s * (1 - s) / BETA;
        }
        Numbers.assertClose("gates " + n, expected, zs, 0, 5e-6);
        Numbers.assertClose("gradient " + n, slope, f.read(gradient), 1e-5, 2e-5);
        Numbers.assertBits("in place", f.read(gradient), f.read(inPlace));
        if (n >= 1000) {
          int zero = 0;
          int one = 0;
          for (float v : zs) {
            assertTrue(v >= 0 && v <= 1);
            zero += v == 0 ? 1 : 0;
            one += v == 1 ? 1 : 0;
          }
          assertTrue(zero > n / 10 && one > n / 10, "both ends are reached exactly");
        }
      }
    }
  }

  @Test
  default void evaluatesGatesWithoutNoise() {
    for (int n : SIZES) {
      float[] la = logAlphas(n);
      double[] expected = new double[n];
      for (int i = 0; i < n; i++) {
        expected[i] = clamp(stretched(Numbers.sigmoid(la[i])));
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor z = f.out(n);
        device().prune().hardConcreteEval(f.in(la), z);
        Numbers.assertClose("evaluation gates " + n, expected, f.read(z), 0, 1e-6);
      }
    }
  }

  @Test
  default void expectsOpenGates() {
    for (int n : SIZES) {
      float[] la = logAlphas(n);
      double expected = 0;
      double[] gradient = Numbers.widen(Numbers.gaussian(n, 3));
      for (int i = 0; i < n; i++) {
        double open = Numbers.sigmoid(la[i] - BETA * Math.log(-GAMMA / ZETA));
        expected += open;
        gradient[i] += 0.5 * open * (1 - open);
      }
      try (Fixture f = new Fixture(device())) {
        DeviceTensor out = f.out(new long[0]);
        DeviceTensor dla = f.inOut(Numbers.gaussian(n, 3));
        device().prune().hardConcreteL0(f.in(la), f.scalar(0.5f), out, dla);
        if (n > 0) {
          double error = Numbers.sumError(n) + 1e-6;
          Numbers.assertClose("expected open gates", expected, f.read(out)[0], error, 0);
        }
        Numbers.assertClose("its gradient, added", gradient, f.read(dla), 1e-6, 1e-6);
        DeviceTensor again = f.out(new long[0]);
        device().prune().hardConcreteL0(f.in(la), null, again, null);
        Numbers.assertBits("without a gradient", f.read(out), f.read(again));
      }
    }
  }
}
