package io.github.secateur.train;

import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over a sequence of things, each preceded by its length so that no two sequences meet. */
final class Digest {
  private static final int CHUNK = 1 << 20;

  private final MessageDigest sha256;

  Digest() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  Digest text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    length(bytes.length);
    sha256.update(bytes);
    return this;
  }

  Digest ints(int[] values) {
    length(4L * values.length);
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(4, values.length));
    bytes.asIntBuffer().put(values);
    sha256.update(bytes);
    return this;
  }

  Digest memory(MemorySegment memory) {
    length(memory.byteSize());
    for (long at = 0; at < memory.byteSize(); at += CHUNK) {
      sha256.update(memory.asSlice(at, Math.min(CHUNK, memory.byteSize() - at)).asByteBuffer());
    }
    return this;
  }

  /** Name, type, shape and bytes. */
  Digest tensor(String name, Tensor tensor) {
    return text(name).text(tensor.toString()).memory(tensor.data());
  }

  String hex() {
    return HexFormat.of().formatHex(sha256.digest());
  }

  private void length(long bytes) {
    sha256.update(ByteBuffer.allocate(Long.BYTES).putLong(0, bytes));
  }
}
