package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Small valid files, damaged at random: each is read, or refused by a FormatException. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileFilesTest {
  private static final int ROUNDS = 1500;

  @TempDir private Path folder;

  private interface Reader {
    void read(Path file) throws IOException;
  }

  private void damage(String name, byte[] valid, Reader reader) throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, valid);
    reader.read(file);
    Random random = new Random(7);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = damaged(valid, random);
      // Some file systems sync a file that is truncated and written again: make a new one.
      Files.delete(file);
      Files.write(file, bytes);
      try {
        reader.read(file);
      } catch (FormatException e) {
        refused++;
        assertTrue(e.getMessage().contains(name), e.getMessage());
      } catch (IOException | RuntimeException | Error e) {
        fail("round " + round + ": " + Arrays.toString(bytes), e);
      }
    }
    assertTrue(refused > ROUNDS / 20, refused + " refused: the damage does not reach the checks");
  }

  private static byte[] damaged(byte[] valid, Random random) {
    byte[] bytes =
        random.nextInt(4) == 0 ? Arrays.copyOf(valid, random.nextInt(valid.length)) : valid.clone();
    int flips = bytes.length == 0 ? 0 : random.nextInt(5);
    for (int i = 0; i < flips; i++) {
      int at = random.nextInt(bytes.length);
      bytes[at] =
          switch (random.nextInt(3)) {
            case 0 -> (byte) (bytes[at] ^ 1 << random.nextInt(8));
            case 1 -> (byte) 0xff;
            default -> (byte) random.nextInt(256);
          };
    }
    return bytes;
  }

  @Test
  void idx() throws IOException {
    byte[] idx = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
    damage("x", idx, IdxReader::read);
    damage("x.gz", IdxReaderTest.gzip(idx), IdxReader::read);
  }

  @Test
  void npy() throws IOException {
    byte[] npy =
        NpyReaderTest.npy(1, "<f4", false, "(2, 3)", NpyReaderTest.floats(1, 2, 3, 4, 5, 6));
    damage("x.npy", npy, NpyReader::read);
  }

  @Test
  void safetensors() throws IOException {
    Path file = folder.resolve("valid.safetensors");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("a", Tensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6));
    tensors.put("b", Tensor.ofLongs(Shape.of(2), 7, 8));
    SafetensorsWriter.write(new Safetensors(tensors, Map.of("k", "v")), file);
    damage("x.safetensors", Files.readAllBytes(file), SafetensorsReader::read);
  }

  @Test
  void onnx() throws IOException {
    damage("x.onnx", OnnxExamples.everything().toByteArray(), OnnxReader::read);
  }
}
