package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class LearningRateTest {
  @Test
  void cosineFallsFromTheRateToZero() {
    LearningRate cosine = new LearningRate.Cosine(0.8f);
    long[] steps = {0, 1, 2, 3, 4};
    double[] expected = {0.8, 0.682842712, 0.4, 0.117157288, 0};
    for (int i = 0; i < steps.length; i++) {
      assertEquals(expected[i], cosine.at(steps[i], 4), 1e-7, "step " + i);
    }
  }

  @Test
  void stepsDecayInWholeSteps() {
    LearningRate step = new LearningRate.Step(0.1f, 0.1f, 25);
    assertEquals(0.1f, step.at(0, 100));
    assertEquals(0.1f, step.at(24, 100));
    assertEquals(0.01f, step.at(25, 100), 1e-9);
    assertEquals(0.01f, step.at(49, 100), 1e-9);
    assertEquals(0.0001f, step.at(75, 100), 1e-11);
  }

  @Test
  void constantStays() {
    assertEquals(0.3f, new LearningRate.Constant(0.3f).at(99, 100));
  }

  @Test
  void refusesRatesThatAreNone() {
    assertThrows(IllegalArgumentException.class, () -> new LearningRate.Constant(0));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate.Cosine(Float.NaN));
    assertThrows(IllegalArgumentException.class, () -> new LearningRate.Step(0.1f, 1.5f, 3));
  }
}
