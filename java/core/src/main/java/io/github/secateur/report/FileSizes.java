package io.github.secateur.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.Deflater;
import java.util.zip.DeflaterInputStream;

/**
 * Sizes of a network's files, bytes; null where there is no such file.
 *
 * @param dense the dense network
 * @param withZeros the pruned network, its pruned weights stored as zeros
 * @param gzipped {@code withZeros}, or {@code dense} where there is none, compressed as {@code gzip
 *     -9} would
 * @param sparse the pruned network with sparse initializers
 * @param shrunk the pruned network with removed units cut out
 */
public record FileSizes(Long dense, Long withZeros, Long gzipped, Long sparse, Long shrunk) {
  /** Bytes that the gzip format adds around a deflate stream: ten before, eight after. */
  private static final int GZIP_FRAME = 18;

  /**
   * Measures files; any path may be null.
   *
   * @throws IOException naming the file that cannot be read
   */
  public static FileSizes measure(Path dense, Path withZeros, Path sparse, Path shrunk)
      throws IOException {
    Path compressed = withZeros != null ? withZeros : dense;
    return new FileSizes(
        size(dense),
        size(withZeros),
        compressed == null ? null : gzippedSize(compressed),
        size(sparse),
        size(shrunk));
  }

  /** Bytes of the file as {@code gzip -9} without a stored name would leave it. */
  public static long gzippedSize(Path file) throws IOException {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    try (InputStream in = new DeflaterInputStream(Files.newInputStream(file), deflater, 1 << 16)) {
      return in.transferTo(OutputStream.nullOutputStream()) + GZIP_FRAME;
    } finally {
      deflater.end();
    }
  }

  private static Long size(Path file) throws IOException {
    return file == null ? null : (Long) Files.size(file);
  }
}
