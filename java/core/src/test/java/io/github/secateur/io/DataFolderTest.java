package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
  @TempDir private Path folder;

  private static byte[] images(int n, int height, int width) {
    ByteBuffer b = ByteBuffer.allocate(16 + n * height * width);
    b.putInt(0x803).putInt(n).putInt(height).putInt(width);
    for (int i = 0; b.hasRemaining(); i++) {
      b.put((byte) i);
    }
    return b.array();
  }

  private static byte[] labels(int... values) {
    ByteBuffer b = ByteBuffer.allocate(8 + values.length).putInt(0x801).putInt(values.length);
    for (int v : values) {
      b.put((byte) v);
    }
    return b.array();
  }

  private void write(String name, byte[] bytes) throws IOException {
    Files.write(folder.resolve(name), name.endsWith(".gz") ? IdxReaderTest.gzip(bytes) : bytes);
  }

  private <E extends Throwable> String refused(Class<E> kind) {
    return assertThrows(kind, () -> DataFolder.read(folder)).getMessage();
  }

  @Test
  void readsIdxWithAndWithoutGzipAlike() throws IOException {
    write("train-images-idx3-ubyte", images(3, 2, 2));
    write("train-labels-idx1-ubyte", labels(0, 2, 1));
    write("t10k-images-idx3-ubyte.gz", images(2, 2, 2));
    write("t10k-labels-idx1-ubyte.gz", labels(1, 1));
    DataFolder data = DataFolder.read(folder);
    assertEquals(Shape.of(3, 2, 2), data.train().x().shape());
    assertEquals(3, data.train().classes());
    assertEquals(3, data.test().orElseThrow().classes());
    assertArrayEquals(new int[] {0, 2, 1}, data.train().labels().toInts());
    assertEquals(11 / 255f, data.train().x().getFloat(11));
    String hash = data.train().sha256();
    Files.delete(folder.resolve("train-images-idx3-ubyte"));
    write("train-images-idx3-ubyte.gz", images(3, 2, 2));
    assertEquals(hash, DataFolder.read(folder).train().sha256());
  }

  @Test
  void readsNpyPairs() throws IOException {
    byte[] x = NpyReaderTest.floats(1, 2, 3, 4);
    write("x.npy", NpyReaderTest.npy(1, "<f4", false, "(2, 2)", x));
    write("y.npy", NpyReaderTest.npy(1, "|u1", false, "(2,)", new byte[] {1, 0}));
    assertTrue(DataFolder.read(folder).test().isEmpty());
    for (String set : new String[] {"train", "test"}) {
      Files.copy(folder.resolve("x.npy"), folder.resolve("x_" + set + ".npy"));
      Files.copy(folder.resolve("y.npy"), folder.resolve("y_" + set + ".npy"));
    }
    DataFolder data = DataFolder.read(folder);
    assertArrayEquals(new float[] {1, 2, 3, 4}, data.test().orElseThrow().x().toFloats());
    assertArrayEquals(new int[] {1, 0}, data.train().labels().toInts());
  }

  @Test
  void refusesCountsThatDiffer() throws IOException {
    write("train-images-idx3-ubyte", images(3, 2, 2));
    write("train-labels-idx1-ubyte", labels(0, 2));
    assertTrue(refused(IllegalArgumentException.class).contains("3 examples"));
  }

  @Test
  void refusesTestLabelsThatTrainingDoesNotHave() throws IOException {
    write("train-images-idx3-ubyte", images(2, 2, 2));
    write("train-labels-idx1-ubyte", labels(0, 2));
    write("t10k-images-idx3-ubyte", images(2, 2, 2));
    write("t10k-labels-idx1-ubyte", labels(0, 3));
    assertTrue(refused(IllegalArgumentException.class).contains("label 3 of example 1"));
  }

  @Test
  void namesALabelThatIsOutOfRange() throws IOException {
    write("train-images-idx3-ubyte", images(3, 2, 2));
    write("train-labels-idx1-ubyte", labels(0, 200, 1));
    Samples train = DataFolder.read(folder).train();
    String message =
        assertThrows(IllegalArgumentException.class, () -> train.withClasses(10)).getMessage();
    assertTrue(message.contains("label 200 of example 1"), message);
  }

  @Test
  void refusesNanAndNegativeLabels() throws IOException {
    byte[] x = NpyReaderTest.floats(1, 2, 3, Float.NaN);
    write("x.npy", NpyReaderTest.npy(1, "<f4", false, "(2, 2)", x));
    write("y.npy", NpyReaderTest.npy(1, "|u1", false, "(2,)", new byte[] {1, 0}));
    assertTrue(refused(IllegalArgumentException.class).contains("value 1 of example 1 is NaN"));
    write("x.npy", NpyReaderTest.npy(1, "<f4", false, "(2,)", NpyReaderTest.floats(1, 2)));
    byte[] y = {0, 0, 0, 0, -1, -1, -1, -1};
    write("y.npy", NpyReaderTest.npy(1, "<i4", false, "(2,)", y));
    assertTrue(refused(IllegalArgumentException.class).contains("label -1 of example 1"));
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    assertTrue(refused(IOException.class).contains("no data in"));
    write("train-images-idx3-ubyte", images(3, 2, 2));
    assertTrue(refused(IOException.class).contains("not train-labels"));
    Path missing = folder.resolve("missing");
    String message = assertThrows(IOException.class, () -> DataFolder.read(missing)).getMessage();
    assertTrue(message.contains("does not exist"), message);
  }
}
