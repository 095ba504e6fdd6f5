package io.github.secateur.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Moves bytes between files and memory segments of any size. */
final class Channels {
  private static final long CHUNK = 1 << 28;

  private Channels() {}

  /**
   * Fills a segment from a file.
   *
   * @throws FormatException when the file ends before the segment is full
   */
  static void read(Path file, FileChannel channel, long offset, MemorySegment into)
      throws IOException {
    long done = 0;
    while (done < into.byteSize()) {
      long size = Math.min(CHUNK, into.byteSize() - done);
      int got = channel.read(into.asSlice(done, size).asByteBuffer(), offset + done);
      if (got < 0) {
        throw new FormatException(
            file.toString(),
            offset + done,
            (into.byteSize() - done) + " more bytes",
            "the end of the file");
      }
      done += got;
    }
  }

  /** Writes a whole segment at the channel's position. */
  static void write(FileChannel channel, MemorySegment from) throws IOException {
    for (long done = 0; done < from.byteSize(); done += CHUNK) {
      long size = Math.min(CHUNK, from.byteSize() - done);
      AtomicFile.writeFully(channel, from.asSlice(done, size).asByteBuffer());
    }
  }

  /** Writes zeros until the position is a multiple of an alignment. */
  static void pad(FileChannel channel, int alignment) throws IOException {
    int rest = (int) (channel.position() % alignment);
    if (rest != 0) {
      AtomicFile.writeFully(channel, ByteBuffer.allocate(alignment - rest));
    }
  }
}
