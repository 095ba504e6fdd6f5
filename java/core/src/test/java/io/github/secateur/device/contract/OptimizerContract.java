package io.github.secateur.device.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.NnOps.Adam;
import io.github.secateur.device.NnOps.Moments;
import io.github.secateur.device.NnOps.Sgd;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Optimizer steps against the same formulas in double precision, three steps in a row. */
public interface OptimizerContract extends Contract {
  /** Steps taken. */
  int STEPS = 3;

  private static Mask everyThird(int n) {
    Mask mask = Mask.ones(Shape.of(n));
    for (int i = 0; i < n; i += 3) {
      mask.set(i, false);
    }
    return mask;
  }

  @Test
  default void takesSgdSteps() {
    Sgd[] variants = {
      new Sgd(0.1f, 0, 0, false, 1),
      new Sgd(0.1f, 0, 0.01f, false, 1),
      new Sgd(0.05f, 0.9f, 0, false, 1),
      new Sgd(0.05f, 0.9f, 0.001f, true, 1)
    };
    for (Sgd sgd : variants) {
      for (int n : SIZES) {
        checkSgd(sgd, n, null);
        checkSgd(sgd, n, everyThird(n));
      }
    }
  }

  private void checkSgd(Sgd sgd, int n, Mask mask) {
    double[] w = Numbers.widen(Numbers.gaussian(n, 1));
    double[] buffer = new double[n];
    try (Fixture f = new Fixture(device());
        Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
      DeviceTensor dw = f.inOut(Numbers.gaussian(n, 1));
      DeviceTensor momentum = sgd.momentum() == 0 ? null : f.out(n);
      DeviceMask dmask = mask == null ? null : f.in(mask);
      for (int step = 1; step <= STEPS; step++) {
        float[] g = Numbers.gaussian(n, 10 + step);
        sgdOracle(sgd, step, w, g, buffer, mask);
        Sgd params = new Sgd(sgd.lr(), sgd.momentum(), sgd.weightDecay(), sgd.nesterov(), step);
        device().nn().uploadSgd(params, block);
        device().nn().sgdStep(block, dw, f.in(g), momentum, dmask);
      }
      Numbers.assertClose(sgd + " " + n, w, f.read(dw), 2e-6, 1e-6);
      assertPrunedZeros(mask, f.read(dw));
      if (momentum != null) {
        Numbers.assertClose(sgd + " momentum", buffer, f.read(momentum), 2e-6, 2e-6);
        assertPrunedZeros(mask, f.read(momentum));
      }
    }
  }

  private static void sgdOracle(
      Sgd sgd, int step, double[] w, float[] g, double[] buffer, Mask mask) {
    for (int i = 0; i < w.length; i++) {
      double decayed = g[i] + sgd.weightDecay() * w[i];
      buffer[i] = step == 1 ? decayed : sgd.momentum() * buffer[i] + decayed;
      double d = sgd.nesterov() ? decayed + sgd.momentum() * buffer[i] : buffer[i];
      w[i] -= sgd.lr() * (sgd.momentum() == 0 ? decayed : d);
      if (mask != null && !mask.kept(i)) {
        w[i] = 0;
        buffer[i] = 0;
      }
    }
  }

  @Test
  default void takesAdamSteps() {
    Adam[] variants = {
      new Adam(0.001f, 0.9f, 0.999f, 1e-8f, 0, false, 1),
      new Adam(0.01f, 0.9f, 0.999f, 1e-8f, 0.01f, false, 1),
      new Adam(0.01f, 0.8f, 0.99f, 1e-6f, 0.1f, true, 1)
    };
    for (Adam adam : variants) {
      for (int n : SIZES) {
        checkAdam(adam, n, null);
        checkAdam(adam, n, everyThird(n));
      }
    }
  }

  private void checkAdam(Adam adam, int n, Mask mask) {
    double[] w = Numbers.widen(Numbers.gaussian(n, 1));
    double[] m = new double[n];
    double[] v = new double[n];
    try (Fixture f = new Fixture(device());
        Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
      DeviceTensor dw = f.inOut(Numbers.gaussian(n, 1));
      Moments moments = new Moments(f.inOut(new float[n]), f.inOut(new float[n]));
      DeviceMask dmask = mask == null ? null : f.in(mask);
      for (int step = 1; step <= STEPS; step++) {
        float[] g = Numbers.gaussian(n, 10 + step);
        if (n > 2) {
          g[1] = 0;
          g[2] = Float.MIN_VALUE;
        }
        adamOracle(adam, step, w, g, m, v, mask);
        Adam params =
            new Adam(
                adam.lr(),
                adam.beta1(),
                adam.beta2(),
                adam.epsilon(),
                adam.weightDecay(),
                adam.decoupled(),
                step);
        device().nn().uploadAdam(params, block);
        device().nn().adamStep(block, dw, f.in(g), moments, dmask);
      }
      Numbers.assertClose(adam + " " + n, w, f.read(dw), 1e-6, 1e-5 * adam.lr() + 3e-7);
      Numbers.assertClose(adam + " m", m, f.read(moments.m()), 1e-6, 1e-6);
      Numbers.assertClose(adam + " v", v, f.read(moments.v()), 2e-6, 1e-7);
      assertPrunedZeros(mask, f.read(dw));
      assertPrunedZeros(mask, f.read(moments.m()));
      assertPrunedZeros(mask, f.read(moments.v()));
    }
  }

  private static void adamOracle(
      Adam adam, int step, double[] w, float[] g, double[] m, double[] v, Mask mask) {
    double correction1 = 1 - Math.pow(adam.beta1(), step);
    double correction2 = Math.sqrt(1 - Math.pow(adam.beta2(), step));
    for (int i = 0; i < w.length; i++) {
      double gradient = g[i] + (adam.decoupled() ? 0 : adam.weightDecay() * w[i]);
      if (adam.decoupled()) {
        w[i] -= adam.lr() * adam.weightDecay() * w[i];
      }
      m[i] = adam.beta1() * m[i] + (1 - (double) adam.beta1()) * gradient;
      v[i] = adam.beta2() * v[i] + (1 - (double) adam.beta2()) * gradient * gradient;
      w[i] -= adam.lr() / correction1 * m[i] / (Math.sqrt(v[i]) / correction2 + adam.epsilon());
      if (mask != null && !mask.kept(i)) {
        w[i] = 0;
        m[i] = 0;
        v[i] = 0;
      }
    }
  }

  /** Masked elements hold exactly +0, whatever they were. */
  private static void assertPrunedZeros(Mask mask, float[] values) {
    for (int i = 0; mask != null && i < values.length; i++) {
      if (!mask.kept(i)) {
        Numbers.assertBits("pruned " + i, new float[] {0f}, new float[] {values[i]});
      }
    }
  }

  @Test
  default void clearsNanAndNegativeZeroWhereMasked() {
    try (Fixture f = new Fixture(device());
        Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
      float[] bad = {Float.NaN, -0f, Float.POSITIVE_INFINITY, -1};
      DeviceMask none = f.in(Mask.zeros(Shape.of(4)));
      DeviceTensor w = f.inOut(bad);
      device().nn().uploadSgd(new Sgd(0.1f, 0, 0, false, 1), block);
      device().nn().sgdStep(block, w, f.in(bad), null, none);
      Numbers.assertBits("sgd", new float[4], f.read(w));
      DeviceTensor w2 = f.inOut(bad);
      Moments moments = new Moments(f.inOut(bad), f.inOut(bad));
      device().nn().uploadAdam(new Adam(0.1f, 0.9f, 0.9f, 1e-8f, 0, false, 1), block);
      device().nn().adamStep(block, w2, f.in(bad), moments, none);
      Numbers.assertBits("adam w", new float[4], f.read(w2));
      Numbers.assertBits("adam m", new float[4], f.read(moments.m()));
      Numbers.assertBits("adam v", new float[4], f.read(moments.v()));
    }
  }

  @Test
  default void refusesAShortBlockAndAMaskOfAnotherSize() {
    try (Fixture f = new Fixture(device());
        Buffer small = device().allocate(8);
        Buffer block = device().allocate(NnOps.OPTIMIZER_BLOCK_BYTES)) {
      DeviceTensor w = f.inOut(1, 2);
      DeviceTensor g = f.in(1, 2);
      Sgd sgd = new Sgd(0.1f, 0, 0, false, 1);
      assertThrows(IllegalArgumentException.class, () -> device().nn().uploadSgd(sgd, small));
      assertThrows(
          IllegalArgumentException.class, () -> device().nn().sgdStep(small, w, g, null, null));
      device().nn().uploadSgd(sgd, block);
      assertThrows(
          IllegalArgumentException.class,
          () -> device().nn().sgdStep(block, w, g, null, f.in(Mask.ones(Shape.of(3)))));
    }
  }
}
