package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DualAscentTest {
  private static final DualAscent.Gains GAINS = new DualAscent.Gains(0.05, 1);

  @Test
  void aStepFollowsTheFormula() {
    DualAscent dual = new DualAscent(0.01, GAINS);
    dual.update(0.5, 0.5);
    assertEquals(0.01, dual.lambda(), 1e-15);
    dual.update(0.6, 0.8); // e = log(0.4 / 0.2) = 0.693
    double e = Math.log(2);
    assertEquals(Math.exp(Math.log(0.01) + 0.05 * e + e), dual.lambda(), 1e-12);
    dual.update(0, 1); // e is clamped at 1
    assertEquals(Math.exp(Math.log(0.01) + 0.05 * e + 0.05 + 1), dual.lambda(), 1e-12);
  }

  /**
   * Density falls exponentially at rate λ and recovers by itself: the controller holds the target.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 0.8, 0.9, 0.95, 0.98})
  void holdsTheTargetOfALaggingSystem(double target) {
    DualAscent dual = new DualAscent(0.01, GAINS);
    double density = 1;
    for (int i = 0; i < 1500; i++) {
      density += 0.02 * (1 - density) - 0.1 * dual.lambda() * density;
      density = Math.clamp(density, 0, 1);
      dual.update(1 - density, DualAscent.ramp(target, 0.6, i, 600));
    }
    assertEquals(target, 1 - density, 0.02 * (1 - target));
  }

  @Test
  void theRampRisesToTheTargetAndStays() {
    double before = 0;
    for (int step = 0; step < 100; step++) {
      double now = DualAscent.ramp(0.9, 0.6, step, 100);
      assertTrue(now >= before);
      before = now;
    }
    assertEquals(0.9 * (1 - 0.125), DualAscent.ramp(0.9, 0.6, 29, 100), 1e-12);
    assertEquals(0.9, DualAscent.ramp(0.9, 0.6, 59, 100), 1e-12);
    assertEquals(0.9, before);
  }

  @Test
  void theGeometricRampLosesTheSameShareOfWhatIsLeftInEqualTimes() {
    assertEquals(0, DualAscent.geometricRamp(0.96, 0), 1e-15);
    assertEquals(0.8, DualAscent.geometricRamp(0.96, 0.5), 1e-12);
    assertEquals(0.96, DualAscent.geometricRamp(0.96, 1), 1e-12);
    assertEquals(0.96, DualAscent.geometricRamp(0.96, 1.7), 1e-12);
    assertEquals(0.99, DualAscent.geometricRamp(1, 0.5), 1e-12);
  }

  @Test
  void stateRestoresEveryBit() {
    DualAscent a = new DualAscent(0.03, GAINS);
    a.update(0.1, 0.7);
    DualAscent b = new DualAscent(1, GAINS);
    b.restore(a.state());
    a.update(0.3, 0.7);
    b.update(0.3, 0.7);
    assertEquals(Double.doubleToRawLongBits(a.lambda()), Double.doubleToRawLongBits(b.lambda()));
  }
}
