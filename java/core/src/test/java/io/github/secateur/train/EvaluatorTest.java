package io.github.secateur.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.Device;
import io.github.secateur.exec.Parameters;
import io.github.secateur.graph.Graph;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ValueInfo;
import io.github.secateur.io.Samples;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EvaluatorTest {
  private final Model model = Toy.mlp(4, 4, 6, 3);
  private final Samples samples = Toy.blobs(53, 8);
  private Device device;

  @BeforeEach
  void open() {
    device = Toy.device();
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** The model with one of its outputs only. */
  private Model ending(String output) {
    Graph graph = model.graph().copy();
    graph.outputs().removeIf(o -> !o.name().equals(output));
    return model.withGraph(graph);
  }

  @Test
  void predictsLogitsAsByHand() {
    Tensor logits = Evaluator.predict(device, model, samples.x());
    assertEquals(Shape.of(53, 3), logits.shape());
    float[] w1 = model.graph().initializer("fc1.weight").toFloats();
    float[] b1 = model.graph().initializer("fc1.bias").toFloats();
    float[] w2 = model.graph().initializer("fc2.weight").toFloats();
    float[] b2 = model.graph().initializer("fc2.bias").toFloats();
    for (int row = 0; row < 53; row++) {
      double[] hidden = new double[6];
      for (int h = 0; h < 6; h++) {
        double sum = b1[h];
        for (int d = 0; d < 4; d++) {
          sum += w1[h * 4 + d] * (double) samples.x().getFloat(row * 4L + d);
        }
        hidden[h] = Math.max(0, sum);
      }
      for (int c = 0; c < 3; c++) {
        double sum = b2[c];
        for (int h = 0; h < 6; h++) {
          sum += w2[c * 6 + h] * hidden[h];
        }
        assertEquals(sum, logits.getFloat(row * 3L + c), 1e-5, "sample " + row);
      }
    }
  }

  @Test
  void takesLogitsAndProbabilitiesAlike() {
    Metrics fromLogits = Evaluator.evaluate(device, ending("logits"), samples);
    Metrics fromProbabilities = Evaluator.evaluate(device, ending("probabilities"), samples);
    assertEquals(fromLogits.loss(), fromProbabilities.loss());
    assertEquals(fromLogits.macroF1(), fromProbabilities.macroF1());
    assertEquals(53, fromLogits.samples());
  }

  @Test
  void doesNotDependOnTheBatchSize() {
    Metrics whole = Evaluator.evaluate(device, model, samples);
    try (Parameters parameters = Parameters.upload(device, model.graph())) {
      for (int batch : new int[] {1, 10, 52, 53, 54}) {
        try (Evaluator evaluator = new Evaluator(model, parameters, batch)) {
          Metrics metrics = evaluator.evaluate(samples);
          assertEquals(whole.accuracy(), metrics.accuracy(), "batch " + batch);
          assertEquals(whole.loss(), metrics.loss(), 1e-6, "batch " + batch);
        }
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Evaluator.evaluate(device, Toy.mlp(1, 4, 2), samples));
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Evaluator.evaluate(device, Toy.mlp(1, 5, 3), samples));
    assertTrue(e.getMessage().contains("takes 5 numbers a sample"), e.getMessage());
    Model twoInputs = model.copy();
    ValueInfo x = model.graph().inputs().getFirst();
    twoInputs.graph().inputs().add(new ValueInfo("y", x.dtype(), x.dims(), new byte[0]));
    assertThrows(
        IllegalArgumentException.class, () -> Evaluator.evaluate(device, twoInputs, samples));
  }
}
