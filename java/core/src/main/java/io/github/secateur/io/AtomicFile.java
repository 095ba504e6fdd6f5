package io.github.secateur.io;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.UUID;

/**
 * Writes files whole or not at all: the bytes go to a temporary name in the same folder, are
 * synced, renamed over the final name, and the folder is synced. Whenever the process or the
 * machine stops, the final name holds the old contents or the new, never a part.
 *
 * <p>A failure deletes the temporary file. One left by a killed process ({@code
 * .<name>.<process>-<random>.tmp}) is deleted by the next write of the same file. What exists and
 * is no regular file, such as {@code /dev/stdout}, is written to directly.
 */
public final class AtomicFile {
  private static final long STALE_SECONDS = 60;

  private AtomicFile() {}

  /** Produces the contents. */
  @FunctionalInterface
  public interface Body {
    /** Writes everything to the channel, from its position 0 on. */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Writes a file.
   *
   * @param file the final name; a symbolic link is followed
   * @throws IOException one sentence naming the file and the cause: folder missing, not writable,
   *     disk full, ...; the final name is untouched then
   */
  public static void write(Path file, Body body) throws IOException {
    Path target = Files.isSymbolicLink(file) && Files.exists(file) ? file.toRealPath() : file;
    if (Files.isDirectory(target)) {
      throw new IOException("cannot write " + file + ": it is a folder; name a file in it");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      writeSpecial(file, body);
      return;
    }
    Path folder = target.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          "cannot write %s: folder %s does not exist; create it first".formatted(file, folder));
    }
    String prefix = "." + target.getFileName() + ".";
    deleteStale(folder, prefix);
    Path temporary =
        folder.resolve(prefix + ProcessHandle.current().pid() + "-" + UUID.randomUUID() + ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(temporary, CREATE_NEW, WRITE, READ)) {
        body.writeTo(channel);
        channel.force(true);
      }
      rename(temporary, target);
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw explain(file, e);
    } catch (RuntimeException | Error e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    syncFolder(folder);
  }

  /** Writes bytes to a file. */
  public static void write(Path file, byte[] contents) throws IOException {
    write(file, channel -> writeFully(channel, ByteBuffer.wrap(contents)));
  }

  /** Writes text in UTF-8 to a file. */
  public static void write(Path file, String contents) throws IOException {
    write(file, contents.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes all that remains in a buffer. */
  public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static void writeSpecial(Path file, Body body) throws IOException {
    try (FileChannel channel = FileChannel.open(file, WRITE)) {
      body.writeTo(channel);
    } catch (IOException e) {
      throw explain(file, e);
    }
  }

  private static void rename(Path temporary, Path target) throws IOException {
    try {
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Makes the rename survive a power cut. Systems that cannot sync folders need not. */
  private static void syncFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Not offered by this file system: the file itself is synced.
    }
  }

  private static void deleteStale(Path folder, String prefix) {
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(
            folder, p -> isTemporary(p.getFileName().toString(), prefix) && isStale(p, prefix))) {
      for (Path entry : entries) {
        Files.deleteIfExists(entry);
      }
    } catch (IOException | RuntimeException e) {
      // A leftover does no harm; the write itself reports what is wrong with the folder.
    }
  }

  private static boolean isTemporary(String name, String prefix) {
    return name.startsWith(prefix)
        && name.substring(prefix.length()).matches("\\d{1,18}-[0-9a-f-]{36}\\.tmp");
  }

  private static boolean isStale(Path temporary, String prefix) throws IOException {
    String rest = temporary.getFileName().toString().substring(prefix.length());
    long process = Long.parseLong(rest.substring(0, rest.indexOf('-')));
    Instant touched = Files.getLastModifiedTime(temporary).toInstant();
    return touched.isBefore(Instant.now().minusSeconds(STALE_SECONDS))
        && ProcessHandle.of(process).isEmpty();
  }

  private static IOException explain(Path file, IOException e) {
    if (e instanceof FormatException) {
      return e;
    }
    String reason =
        switch (e) {
          case AccessDeniedException a -> "permission denied";
          case NoSuchFileException n -> "its folder does not exist";
          case FileSystemException f when f.getReason() != null -> f.getReason();
          default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    if (reason.contains("No space left") || reason.contains("quota")) {
      reason = "the disk is full (" + reason + "); nothing was left under that name";
    }
    return new IOException("cannot write " + file + ": " + reason, e);
  }
}
