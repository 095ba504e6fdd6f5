package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
}
