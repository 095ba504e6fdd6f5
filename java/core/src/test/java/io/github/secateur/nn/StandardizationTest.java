package io.github.secateur.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.Shrinker;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import io.github.secateur.train.Evaluator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StandardizationTest {
  private static final Tensor X = Tensor.of(Shape.of(2, 4), 0, 1, 2, 3, 4, 5, 6, 7);

  @Test
  void meanAndDeviationAreThoseOfAllInputs() {
    Standardization s = Standardization.of(X);
    assertEquals(3.5f, s.mean());
    assertEquals((float) Math.sqrt(5.25), s.deviation());
  }

  @ParameterizedTest
  @CsvSource({"mlp:4-8-3, 4", "cnn:1x2x2:c4-g-3, 1x2x2"})
  void theNetworkReadsRawInputs(String specification, String image) {
    Model plain = Networks.parse(specification, 1);
    Standardization s = Standardization.of(X);
    Model standard = s.before(plain);
    Tensor raw = image.equals("4") ? X : X.reshape(Shape.of(2, 1, 2, 2));
    Tensor by = raw.copy();
    for (int i = 0; i < by.size(); i++) {
      by.setFloat(i, (by.getFloat(i) - s.mean()) / s.deviation());
    }
    assertArrayEquals(predict(plain, by), predict(standard, raw), 1e-6f);
    assertEquals(plain.graph().inputs(), standard.graph().inputs());
    assertEquals(
        plain.graph().initializers().keySet(), standard.graph().initializers().keySet(), "weights");
  }

  @Test
  void itsUnitsCanBeCutOut() {
    Model standard = Standardization.of(X).before(Networks.parse("mlp:4-8-3", 1));
    prune(standard, "fc1.weight", 8, 9, 10, 11, 12, 13, 14, 15); // units 2 and 3
    prune(standard, "fc1.bias", 2, 3);
    prune(standard, "fc2.weight", 2, 3, 10, 11, 18, 19);
    Model shrunk = Shrinker.shrink(standard);
    assertEquals(Shape.of(6, 4), shrunk.graph().initializer("fc1.weight").shape());
    assertArrayEquals(predict(standard, X), predict(shrunk, X), 1e-6f);
  }

  @Test
  void constantInputsAreRefused() {
    Tensor ones = Tensor.of(Shape.of(1, 2), 1, 1);
    var e = assertThrows(IllegalArgumentException.class, () -> Standardization.of(ones));
    assertEquals(
        "inputs of mean 1.0 and deviation 0.0 cannot be standardized; they should be finite and"
            + " differ",
        e.getMessage());
  }

  private static void prune(Model model, String parameter, int... indices) {
    Tensor tensor = model.graph().initializer(parameter);
    Mask mask = Mask.ones(tensor.shape());
    for (int i : indices) {
      mask.set(i, false);
      tensor.setFloat(i, 0);
    }
    model.masks().put(parameter, mask);
  }

  private static float[] predict(Model model, Tensor x) {
    try (Device device = Devices.open("cpu", DeviceOptions.defaults())) {
      return Evaluator.predict(device, model, x).toFloats();
    }
  }
}
