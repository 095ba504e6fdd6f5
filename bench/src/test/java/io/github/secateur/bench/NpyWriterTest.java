package io.github.secateur.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.io.NpyReader;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyWriterTest {
  @TempDir Path folder;

  @Test
  void isReadBackUnchanged() throws IOException {
    Path file = folder.resolve("t.npy");
    for (Shape shape : new Shape[] {Shape.of(5), Shape.of(3, 4), Shape.of(0, 2), Shape.of(1)}) {
      Tensor t = Data.normal(1, shape.dims());
      NpyWriter.write(t, file);
      assertTrue(NpyReader.read(file).bitEquals(t), "shape " + shape);
      assertEquals(0, (Files.size(file) - t.byteSize()) % 64);
    }
  }

  @Test
  void refusesOtherTypes() {
    Tensor ints = Tensor.zeros(DType.I32, Shape.of(2));
    assertThrows(
        IllegalArgumentException.class, () -> NpyWriter.write(ints, folder.resolve("t.npy")));
  }
}
