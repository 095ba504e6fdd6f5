package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir private Path folder;

  private List<String> names() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void writesAndReplaces() throws IOException {
    Path file = folder.resolve("a");
    AtomicFile.write(file, "one");
    AtomicFile.write(file, "two");
    assertEquals("two", Files.readString(file));
    assertEquals(List.of("a"), names());
  }

  @Test
  void aFailureLeavesTheOldContentsAndNothingElse() throws IOException {
    Path file = folder.resolve("a");
    AtomicFile.write(file, "old");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      channel.write(ByteBuffer.allocate(1000));
                      throw new IOException("No space left on device");
                    }));
    assertTrue(e.getMessage().contains("the disk is full"), e.getMessage());
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFile.write(
                file,
                channel -> {
                  throw new IllegalStateException();
                }));
    assertEquals("old", Files.readString(file));
    assertEquals(List.of("a"), names());
  }

  @Test
  void namesTheCause() {
    Path inMissing = folder.resolve("missing").resolve("a");
    String message =
        assertThrows(IOException.class, () -> AtomicFile.write(inMissing, "x")).getMessage();
    assertTrue(message.contains("does not exist"), message);
    message = assertThrows(IOException.class, () -> AtomicFile.write(folder, "x")).getMessage();
    assertTrue(message.contains("is a folder"), message);
  }

  @Test
  void writesThroughToWhatIsNoFile() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "/dev/full is not there");
    String message =
        assertThrows(IOException.class, () -> AtomicFile.write(full, "x")).getMessage();
    assertTrue(message.contains("the disk is full"), message);
    assertFalse(Files.isRegularFile(full));
  }

  @Test
  void followsSymbolicLinks() throws IOException {
    Path file = folder.resolve("a");
    AtomicFile.write(file, "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    AtomicFile.write(link, "new");
    assertEquals("new", Files.readString(file));
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void clearsUpAfterAKilledProcess() throws IOException {
    Path leftover = folder.resolve(".a.999999999-123e4567-e89b-12d3-a456-426614174000.tmp");
    Files.writeString(leftover, "part");
    Files.setLastModifiedTime(leftover, FileTime.from(Instant.now().minusSeconds(3600)));
    Path other = Files.writeString(folder.resolve(".a.keep.tmp"), "not ours");
    AtomicFile.write(folder.resolve("a"), "x");
    assertFalse(Files.exists(leftover));
    assertTrue(Files.exists(other));
  }

  @Test
  void aKillLeavesTheOldContentsOrTheNew() throws Exception {
    Path file = folder.resolve("a");
    for (int round = 0; round < 3; round++) {
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Rewriter.class.getName(),
                  file.toString())
              .redirectErrorStream(true)
              .redirectOutput(new File("/dev/null"))
              .start();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (!Files.exists(file) && writer.isAlive() && System.nanoTime() < deadline) {
        Thread.sleep(1);
      }
      Thread.sleep(20 + 37 * round);
      writer.destroyForcibly().waitFor();
      byte[] found = Files.readAllBytes(file);
      assertEquals(Rewriter.SIZE, found.length);
      for (byte b : found) {
        assertEquals(found[0], b);
      }
      Files.delete(file);
    }
  }

  /** Rewrites a file until it is killed, each time filled with another byte. */
  static final class Rewriter {
    static final int SIZE = 1 << 20;

    private Rewriter() {}

    public static void main(String[] arguments) throws IOException {
      for (int fill = 0; ; fill++) {
        byte[] contents = new byte[SIZE];
        java.util.Arrays.fill(contents, (byte) fill);
        AtomicFile.write(Path.of(arguments[0]), contents);
      }
    }
  }
}
