package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpyReaderTest {
  @TempDir private Path folder;

  /** An NPY file as NumPy writes it. */
  static byte[] npy(int version, String descr, boolean fortran, String shape, byte[] data) {
    String header =
        "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }"
            .formatted(descr, fortran ? "True" : "False", shape);
    int start = version == 1 ? 10 : 12;
    int length = (start + header.length() + 1 + 63) / 64 * 64 - start;
    header = header + " ".repeat(length - header.length() - 1) + "\n";
    ByteBuffer out =
        ByteBuffer.allocate(start + length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    out.put((byte) version).put((byte) 0);
    if (version == 1) {
      out.putShort((short) length);
    } else {
      out.putInt(length);
    }
    return out.put(header.getBytes(StandardCharsets.US_ASCII)).put(data).array();
  }

  static byte[] floats(float... values) {
    ByteBuffer b = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    b.asFloatBuffer().put(values);
    return b.array();
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("x.npy"), bytes);
  }

  private FormatException refused(byte[] bytes) throws IOException {
    Path path = file(bytes);
    return assertThrows(FormatException.class, () -> NpyReader.read(path));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEveryVersion(int version) throws IOException {
    Tensor t =
        NpyReader.read(
            file(npy(version, "<f4", false, "(2, 3)", floats(1, 2, 3, 4, 5, Float.NaN))));
    assertEquals(Shape.of(2, 3), t.shape());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, Float.NaN}, t.toFloats());
  }

  @Test
  void readsEveryTypeAndRank() throws IOException {
    assertEquals(DType.U8, NpyReader.read(file(npy(1, "|u1", false, "(3,)", new byte[3]))).dtype());
    assertEquals(
        DType.I32, NpyReader.read(file(npy(1, "<i4", false, "(1, 1, 2)", new byte[8]))).dtype());
    assertEquals(DType.I64, NpyReader.read(file(npy(1, "<i8", false, "()", new byte[8]))).dtype());
    assertEquals(
        DType.F64, NpyReader.read(file(npy(1, "<f8", false, "(0, 5)", new byte[0]))).dtype());
  }

  @Test
  void refusesWithACure() throws IOException {
    assertTrue(
        refused(npy(1, "<f4", true, "(1, 2)", new byte[8]))
            .getMessage()
            .contains("ascontiguousarray"));
    assertTrue(
        refused(npy(1, ">f4", false, "(2,)", new byte[8])).getMessage().contains("astype('<f4')"));
    assertTrue(refused(npy(1, "|O", false, "(2,)", new byte[8])).getMessage().contains("'|O'"));
  }

  @Test
  void refusesSizesThatDoNotFit() throws IOException {
    refused(npy(1, "<f4", false, "(3,)", new byte[8]));
    refused(npy(1, "<f4", false, "(1,)", new byte[8]));
    refused(npy(1, "<f4", false, "(999999999999, 999999999999, 999999999999)", new byte[8]));
    refused(npy(1, "<f4", false, "(-1,)", new byte[8]));
    refused(npy(1, "<f4", false, "(1 2)", new byte[8]));
    refused(npy(1, "<f4", false, "(,)", new byte[4]));
    byte[] header = npy(2, "<f4", false, "(2,)", new byte[8]);
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1);
    assertEquals(8, refused(header).offset());
    assertEquals(0, refused("PK\3\4 this is a zip file".getBytes(StandardCharsets.UTF_8)).offset());
    assertEquals(6, refused(npy(9, "<f4", false, "(2,)", new byte[8])).offset());
  }
}
