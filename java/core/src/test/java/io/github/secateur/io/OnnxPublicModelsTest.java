package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.secateur.graph.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxPublicModelsTest {
  @TempDir private Path folder;

  private void roundTrip(Path file) throws IOException {
    Path written = folder.resolve("written.onnx");
    OnnxWriter.write(OnnxReader.read(file), written);
    assertEquals(
        NormalForm.of(ModelProto.parseFrom(Files.readAllBytes(file))),
        NormalForm.of(ModelProto.parseFrom(Files.readAllBytes(written))));
  }

  @Test
  void transformer() throws IOException {
    roundTrip(TestModels.allMiniLm(folder));
  }

  @Test
  void recurrent() throws IOException {
    roundTrip(TestModels.sileroVad());
  }

  @Test
  void convolutional() throws IOException {
    roundTrip(TestModels.blazeFace());
  }

  @Test
  void ninetyMegabytesTakeSeconds() throws IOException {
    Path file = TestModels.allMiniLm(folder);
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      Model model = OnnxReader.read(file);
      long read = System.nanoTime();
      OnnxWriter.write(model, folder.resolve("written.onnx"));
      long written = System.nanoTime();
      System.out.printf(
          "all-MiniLM: read %d ms, written %d ms%n",
          (read - start) / 1_000_000, (written - read) / 1_000_000);
      assertTrue(Duration.ofNanos(written - start).toSeconds() < 30);
    }
  }
}
