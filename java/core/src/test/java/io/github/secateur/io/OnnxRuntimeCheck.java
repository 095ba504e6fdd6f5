package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Runs ONNX files in ONNX Runtime, for tests that compare with it. */
public final class OnnxRuntimeCheck {
  private OnnxRuntimeCheck() {}

  /** F32 outputs by name, for F32 inputs. */
  public static Map<String, Tensor> run(Path model, Map<String, Tensor> inputs)
      throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> given = new HashMap<>();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      try (OrtSession session = environment.createSession(model.toString(), options)) {
        for (Map.Entry<String, Tensor> e : inputs.entrySet()) {
          Tensor t = e.getValue();
          given.put(
              e.getKey(),
              OnnxTensor.createTensor(
                  environment, FloatBuffer.wrap(t.toFloats()), t.shape().dims()));
        }
        Map<String, Tensor> outputs = new HashMap<>();
        try (OrtSession.Result result = session.run(given)) {
          for (Map.Entry<String, ?> e : result) {
            OnnxTensor value = (OnnxTensor) e.getValue();
            FloatBuffer floats = value.getFloatBuffer();
            float[] values = new float[floats.remaining()];
            floats.get(values);
            outputs.put(e.getKey(), Tensor.of(Shape.of(value.getInfo().getShape()), values));
          }
        }
        return outputs;
      }
    } finally {
      given.values().forEach(OnnxTensor::close);
    }
  }

  /** Asserts that outputs agree: |a − b| ≤ tolerance · max(1, max |a|). */
  public static void assertClose(
      Map<String, Tensor> expected, Map<String, Tensor> actual, double tolerance) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach(
        (name, e) -> {
          Tensor a = actual.get(name);
          assertEquals(e.shape(), a.shape(), name);
          double scale = 1;
          for (float v : e.toFloats()) {
            scale = Math.max(scale, Math.abs(v));
          }
          for (long i = 0; i < e.size(); i++) {
            double difference = Math.abs((double) e.getFloat(i) - a.getFloat(i));
            assertTrue(
                difference <= tolerance * scale,
                "%s[%d]: %s, %s".formatted(name, i, e.getFloat(i), a.getFloat(i)));
          }
        });
  }
}
