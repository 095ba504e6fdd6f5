package io.github.secateur.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.secateur.device.PruneOps.Norm;
import io.github.secateur.graph.Model;
import io.github.secateur.graph.ParameterPath;
import io.github.secateur.graph.Prunable;
import io.github.secateur.graph.Prunables;
import io.github.secateur.io.OnnxReader;
import io.github.secateur.io.OnnxWriter;
import io.github.secateur.io.TestModels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other people's networks, pruned without data: exact counts, and ONNX Runtime runs the result. */
class PublicModelsTest {
  @TempDir private Path folder;

  @Test
  void transformer() throws Exception {
    prune(TestModels.allMiniLm(folder), Map.of("batch_size", 1L, "sequence_length", 7L));
  }

  @Test
  void convolutional() throws Exception {
    prune(TestModels.blazeFace(), Map.of());
  }

  @Test
  void recurrent() throws Exception {
    prune(TestModels.sileroVad(), Map.of("batch", 1L, "sequence", 512L));
  }

  private void prune(Path file, Map<String, Long> sizes) throws Exception {
    Model model = OnnxReader.read(file);
    DataFree.Result result =
        DataFree.prune(
            model,
            new DataFree.Options(new Criterion.Magnitude(Norm.L1), new Allocation.Global(), 0.5));
    Path out = folder.resolve("pruned.onnx");
    OnnxWriter.write(result.model(), out);

    Model read = OnnxReader.read(out);
    long all = 0;
    long zeros = 0;
    for (Prunable p : Prunables.find(read)) {
      float[] weights = ParameterPath.read(read, p.parameter()).toFloats();
      all += weights.length;
      for (float w : weights) {
        zeros += w == 0 ? 1 : 0;
      }
    }
    assertTrue(all > 100_000, "prunable weights: " + all);
    assertEquals(Quotas.count(0.5, all), zeros);
    runs(out, sizes);
  }

  /** Every output is finite for some input. */
  private static void runs(Path file, Map<String, Long> sizes) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(file.toString())) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (var input : session.getInputInfo().entrySet()) {
        TensorInfo info = (TensorInfo) input.getValue().getInfo();
        inputs.put(input.getKey(), some(environment, info, sizes));
      }
      try (OrtSession.Result outputs = session.run(inputs)) {
        for (var output : outputs) {
          var values = ((OnnxTensor) output.getValue()).getFloatBuffer();
          while (values.hasRemaining()) {
            assertTrue(Float.isFinite(values.get()), output.getKey());
          }
        }
      } finally {
        inputs.values().forEach(OnnxTensor::close);
      }
    }
  }

  private static OnnxTensor some(
      OrtEnvironment environment, TensorInfo info, Map<String, Long> sizes) throws Exception {
    long[] dims = info.getShape();
    for (int d = 0; d < dims.length; d++) {
      if (dims[d] < 0) {
        dims[d] = sizes.getOrDefault(info.getDimensionNames()[d], 1L);
      }
    }
    int n = (int) Arrays.stream(dims).reduce(1, (a, b) -> a * b);
    ByteBuffer data = ByteBuffer.allocateDirect(8 * n).order(ByteOrder.nativeOrder());
    if (info.type == OnnxJavaType.INT64) {
      for (int i = 0; i < n; i++) {
        data.putLong(8 * i, dims.length == 0 ? 16000 : 1); // a sampling rate, or token ids
      }
      return OnnxTensor.createTensor(environment, data.asLongBuffer().limit(n), dims);
    }
    for (int i = 0; i < n; i++) {
      data.putFloat(4 * i, (float) Math.sin(i));
    }
    return OnnxTensor.createTensor(environment, data.asFloatBuffer().limit(n), dims);
  }
}
