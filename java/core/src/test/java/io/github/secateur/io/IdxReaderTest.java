package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxReaderTest {
  @TempDir private Path folder;

  private static final byte[] TWO_BY_THREE = {
    0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, (byte) 255
  };

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gz = new GZIPOutputStream(out)) {
      gz.write(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] with(int index, int value) {
    byte[] changed = TWO_BY_THREE.clone();
    changed[index] = (byte) value;
    return changed;
  }

  private FormatException refused(String name, byte[] bytes) throws IOException {
    Path path = file(name, bytes);
    FormatException e = assertThrows(FormatException.class, () -> IdxReader.read(path));
    assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
    assertTrue(e.getMessage().contains("expected"), e.getMessage());
    return e;
  }

  @Test
  void readsPlainAndGzip() throws IOException {
    byte[] elements = Arrays.copyOfRange(TWO_BY_THREE, 12, 18);
    for (Path path : new Path[] {file("a", TWO_BY_THREE), file("a.gz", gzip(TWO_BY_THREE))}) {
      Tensor t = IdxReader.read(path);
      assertEquals(Shape.of(2, 3), t.shape());
      assertArrayEquals(elements, t.data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void refusesWrongMagicTypeAndRank() throws IOException {
    assertEquals(0, refused("magic", with(0, 1)).offset());
    assertEquals(0, refused("type", with(2, 13)).offset());
    assertEquals(3, refused("rank", with(3, 0)).offset());
    assertEquals(3, refused("rank", with(3, 200)).offset());
    refused("empty", new byte[0]);
  }

  @Test
  void refusesSizesThatTheFileCannotHold() throws IOException {
    byte[] bytes = TWO_BY_THREE.clone();
    Arrays.fill(bytes, 4, 12, (byte) 0xff);
    assertTrue(refused("huge", bytes).getMessage().contains("4294967295"));
    assertTrue(refused("huge.gz", gzip(bytes)).getMessage().contains("4294967295"));
    assertEquals(8, refused("larger", with(11, 4)).offset());
    assertEquals(18, refused("larger.gz", gzip(with(11, 4))).offset());
  }

  @Test
  void refusesTruncationAndTrailingBytes() throws IOException {
    for (int length = 0; length < TWO_BY_THREE.length; length++) {
      refused("short" + length, Arrays.copyOf(TWO_BY_THREE, length));
    }
    byte[] gzip = gzip(TWO_BY_THREE);
    for (int length = 0; length < gzip.length; length++) {
      refused("short" + length + ".gz", Arrays.copyOf(gzip, length));
    }
    assertEquals(18, refused("long", Arrays.copyOf(TWO_BY_THREE, 19)).offset());
    assertEquals(18, refused("long.gz", gzip(Arrays.copyOf(TWO_BY_THREE, 19))).offset());
  }

  @Test
  void growsBeyondTheFirstAllocation() throws IOException {
    int n = 70_000_000;
    byte[] bytes = new byte[8 + n];
    bytes[2] = 8;
    bytes[3] = 1;
    java.nio.ByteBuffer.wrap(bytes).putInt(4, n);
    bytes[bytes.length - 1] = 7;
    Tensor t = IdxReader.read(file("large", bytes));
    assertEquals(n, t.size());
    assertEquals(7, t.data().get(ValueLayout.JAVA_BYTE, n - 1));
  }
}
