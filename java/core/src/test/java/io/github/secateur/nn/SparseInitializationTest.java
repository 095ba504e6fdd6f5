package io.github.secateur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SparseInitializationTest {
  /** Output o of 8 keeps one of every o + 1 inputs of 4096: the deviation is √(2 / kept). */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theDeviationFollowsWhatAnOutputKeeps(int outputAxis) {
    int outputs = 8;
    int inputs = 4096;
    Shape shape = outputAxis == 0 ? Shape.of(outputs, inputs) : Shape.of(inputs, outputs);
    Mask mask = Mask.zeros(shape);
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i += o + 1) {
        mask.set(at(outputAxis, outputs, inputs, o, i), true);
      }
    }
    Tensor weight = SparseInitialization.draw(mask, outputAxis, 3);
    for (int o = 0; o < outputs; o++) {
      int kept = 0;
      double squares = 0;
      for (int i = 0; i < inputs; i++) {
        long at = at(outputAxis, outputs, inputs, o, i);
        float value = weight.getFloat(at);
        if (mask.kept(at)) {
          kept++;
          squares += value * value;
        } else {
          assertEquals(0, Float.floatToRawIntBits(value), "+0 where pruned");
        }
      }
      // The sum of n squares of deviation s is n s² (1 ± √(2/n)); five of these.
      assertEquals(2, squares, 2 * 5 * Math.sqrt(2.0 / kept), "output " + o);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void aSeedGivesTheSameBits(long seed) {
    Mask mask = Mask.ones(Shape.of(3, 2, 3, 3));
    float[] once = SparseInitialization.draw(mask, 0, seed).toFloats();
    assertArrayEquals(once, SparseInitialization.draw(mask, 0, seed).toFloats());
    assertFalse(Arrays.equals(once, SparseInitialization.draw(mask, 0, seed + 2).toFloats()));
  }

  private static long at(int outputAxis, int outputs, int inputs, int o, int i) {
    return outputAxis == 0 ? (long) o * inputs + i : (long) i * outputs + o;
  }
}
