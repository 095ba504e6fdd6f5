package io.github.secateur.io;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads IDX files (the format of MNIST), plain or gzipped: two zero bytes, a type code, the number
 * of dimensions, each dimension as a big-endian 32-bit number, the elements row-major. Only
 * unsigned bytes (code 8) are read.
 *
 * <p>The size that the header claims is checked against the file's before memory is taken; what is
 * gzipped must be able to hold it (deflate shrinks at most 1032 times), and memory grows with the
 * bytes that really come.
 *
 * <p>Source: yann.lecun.com/exdb/mnist, "The IDX file format".
 */
public final class IdxReader {
  private static final int UNSIGNED_BYTE = 8;
  private static final int MAX_RANK = 8;
  private static final long MAX_DEFLATE_RATIO = 1032;
  private static final int CHUNK = 1 << 16;
  private static final long FIRST_ALLOCATION = 1 << 26;

  private IdxReader() {}

  /**
   * Reads a file; a name that ends in {@code .gz} is decompressed.
   *
   * @return a U8 tensor
   * @throws FormatException when it is no IDX file of unsigned bytes, or is cut short or too long
   */
  public static Tensor read(Path file) throws IOException {
    return read(file, null);
  }

  /** Reads a file and feeds all its uncompressed bytes to a digest (or none: null). */
  static Tensor read(Path file, MessageDigest digest) throws IOException {
    boolean gzip = file.toString().endsWith(".gz");
    try (InputStream in = Files.newInputStream(file)) {
      return read(file.toString(), in, Files.size(file), gzip, digest);
    }
  }

  /**
   * Reads a stream.
   *
   * @param name what errors call it
   * @param size bytes of the stream as stored
   * @param gzip whether it is gzipped
   * @param digest is fed all uncompressed bytes, or null
   */
  public static Tensor read(
      String name, InputStream stored, long size, boolean gzip, MessageDigest digest)
      throws IOException {
    try {
      InputStream in =
          gzip ? new GZIPInputStream(stored, CHUNK) : new BufferedInputStream(stored, CHUNK);
      return new Parser(name, in, gzip ? Math.multiplyExact(size, MAX_DEFLATE_RATIO) : size, digest)
          .parse();
    } catch (ZipException e) {
      throw new FormatException(name, -1, "gzip data", "damage (" + e.getMessage() + ")", e);
    } catch (EOFException e) {
      throw new FormatException(name, size, "more gzip data", "the end of the file", e);
    }
  }

  private static final class Parser {
    private final String name;
    private final InputStream in;
    private final long limit;
    private final MessageDigest digest;

    Parser(String name, InputStream in, long limit, MessageDigest digest) {
      this.name = name;
      this.in = in;
      this.limit = limit;
      this.digest = digest;
    }

    Tensor parse() throws IOException {
      byte[] magic = header(0, 4);
      int rank = magic[3];
      if (magic[0] != 0 || magic[1] != 0 || magic[2] != UNSIGNED_BYTE) {
        throw new FormatException(
            name, 0, "an IDX file of unsigned bytes (00 00 08 ..)", hex(magic));
      }
      if (rank < 1 || rank > MAX_RANK) {
        throw new FormatException(name, 3, "1 to " + MAX_RANK + " dimensions", "" + (rank & 0xff));
      }
      byte[] sizes = header(4, 4 * rank);
      long headerSize = 4 + 4L * rank;
      Shape shape = shape(ByteBuffer.wrap(sizes), rank, headerSize);
      MemorySegment data = elements(shape.size(), headerSize);
      if (in.read() != -1) {
        throw new FormatException(
            name,
            headerSize + shape.size(),
            "the end of the data, as the header says " + shape,
            "more bytes");
      }
      return new Tensor(DType.U8, shape, data);
    }

    private byte[] header(long offset, int count) throws IOException {
      byte[] bytes = in.readNBytes(count);
      if (bytes.length < count) {
        throw new FormatException(
            name, offset + bytes.length, "an IDX header", "the end of the data");
      }
      digest(bytes, count);
      return bytes;
    }

    private Shape shape(ByteBuffer sizes, int rank, long headerSize) throws FormatException {
      long most = Math.max(0, limit - headerSize);
      long[] dims = new long[rank];
      long product = 1;
      for (int i = 0; i < rank; i++) {
        dims[i] = Integer.toUnsignedLong(sizes.getInt(4 * i));
        if (dims[i] != 0 && product > most / dims[i]) {
          throw new FormatException(
              name,
              4 + 4L * i,
              "at most " + most + " elements, as the file is no larger",
              "dimensions " + Arrays.toString(Arrays.copyOf(dims, i + 1)));
        }
        product *= dims[i];
      }
      return Shape.of(dims);
    }

    /** Doubles the memory as bytes come, so that a false header costs nothing. */
    private MemorySegment elements(long size, long headerSize) throws IOException {
      MemorySegment data = Arena.ofAuto().allocate(Math.min(size, FIRST_ALLOCATION), 64);
      byte[] chunk = new byte[CHUNK];
      long done = 0;
      while (done < size) {
        int got = in.read(chunk, 0, (int) Math.min(CHUNK, size - done));
        if (got < 0) {
          throw new FormatException(
              name, headerSize + done, (size - done) + " more elements", "the end of the data");
        }
        digest(chunk, got);
        if (done + got > data.byteSize()) {
          MemorySegment larger = Arena.ofAuto().allocate(Math.min(size, 2 * data.byteSize()), 64);
          MemorySegment.copy(data, 0, larger, 0, done);
          data = larger;
        }
        MemorySegment.copy(chunk, 0, data, ValueLayout.JAVA_BYTE, done, got);
        done += got;
      }
      return data;
    }

    private void digest(byte[] bytes, int count) {
      if (digest != null) {
        digest.update(bytes, 0, count);
      }
    }

    private static String hex(byte[] bytes) {
      return "%02x %02x %02x %02x".formatted(bytes[0], bytes[1], bytes[2], bytes[3]);
    }
  }
}
