package io.github.secateur.sparse;

import io.github.secateur.device.DeviceInfo;
import io.github.secateur.train.Provenance;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * What a time depends on beside the work: the device's own facts (processor or GPU, instruction
 * set, threads, BLAS core and version, driver), the version of Secateur, and which builds of the
 * libraries are loaded.
 */
final class DeviceIdentity {
  /** Libraries up to this size are told apart by content, larger ones by size alone. */
  private static final long CONTENT = 16L << 20;

  private DeviceIdentity() {}

  /** The facts by name; files are named by what they hold, not by where they lie. */
  static Map<String, String> of(DeviceInfo info) {
    Map<String, String> identity = new TreeMap<>();
    info.details().forEach((name, value) -> identity.put(name, fact(value)));
    identity.put("device", info.name());
    identity.put("secateur", Provenance.version());
    return identity;
  }

  /** A file name that differs where an identity does. */
  static String fileName(DeviceInfo info, Map<String, String> identity) {
    String name = info.name().replaceAll("[^A-Za-z0-9]", "_");
    return "%s-%s.json".formatted(name, Hash.of(identity.toString()));
  }

  private static String fact(String value) {
    try {
      Path path = Path.of(value);
      return path.isAbsolute() && Files.isRegularFile(path) ? build(path) : value;
    } catch (InvalidPathException | IOException e) {
      return value;
    }
  }

  private static String build(Path library) throws IOException {
    long size = Files.size(library);
    String build = "%s, %d bytes".formatted(library.getFileName(), size);
    if (size > CONTENT) {
      return build;
    }
    CRC32 crc = new CRC32();
    try (InputStream in = Files.newInputStream(library)) {
      crc.update(in.readAllBytes());
    }
    return "%s, CRC-32 %08x".formatted(build, crc.getValue());
  }
}
