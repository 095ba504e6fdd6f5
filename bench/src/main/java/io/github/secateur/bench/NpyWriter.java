package io.github.secateur.bench;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Writes F32 tensors as NumPy's NPY files, version 1: magic, version, length of the header, a
 * Python dictionary padded with spaces so that the elements start at a multiple of 64 bytes, the
 * elements.
 *
 * <p>Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 */
final class NpyWriter {
  private static final int ALIGNMENT = 64;
  private static final int PRELUDE = 10;
  private static final long CHUNK = 1 << 28;

  private NpyWriter() {}

  /** Writes a file, over what was there. */
  static void write(Tensor tensor, Path file) throws IOException {
    if (tensor.dtype() != DType.F32) {
      throw new IllegalArgumentException("only F32 tensors are written, got " + tensor);
    }
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      all(channel, header(tensor.shape().dims()));
      for (long at = 0; at < tensor.byteSize(); at += CHUNK) {
        long bytes = Math.min(CHUNK, tensor.byteSize() - at);
        all(channel, tensor.data().asSlice(at, bytes).asByteBuffer());
      }
    }
  }

  private static ByteBuffer header(long[] dims) {
    String shape = Arrays.stream(dims).mapToObj(d -> d + ",").collect(Collectors.joining(" "));
    String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
    int size = Math.ceilDiv(PRELUDE + text.length() + 1, ALIGNMENT) * ALIGNMENT;
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    bytes.put((byte) 1).put((byte) 0).putShort((short) (size - PRELUDE));
    bytes.put(text.getBytes(StandardCharsets.US_ASCII));
    while (bytes.position() < size - 1) {
      bytes.put((byte) ' ');
    }
    return bytes.put((byte) '\n').flip();
  }

  private static void all(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
