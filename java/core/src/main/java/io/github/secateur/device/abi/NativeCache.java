package io.github.secateur.device.abi;

import io.github.secateur.device.CacheFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;

/**
 * A private folder for shared libraries unpacked from the class path: {@code
 * ROOT/<sha-256>/<name>}, where the hash is over names and fingerprints of the files that belong
 * together.
 *
 * <p>Folders are private ({@link CacheFolder}). A file is written under a temporary name, synced
 * and renamed, so it is whole or absent; one already there is trusted only when its fingerprint is
 * right, else replaced. Fingerprints are size and CRC-32, as a jar's directory lists them: a start
 * then reads each library once and inflates none.
 */
public final class NativeCache {
  private static final int HASH_DIGITS = 32;
  private static final int CHUNK = 1 << 16;

  private final Path root;
  private final ClassLoader resources;

  /**
   * A cache in a folder of the caller's choice.
   *
   * @param root made when absent
   * @param resources where libraries are looked for
   */
  NativeCache(Path root, ClassLoader resources) {
    this.root = root.toAbsolutePath();
    this.resources = resources;
  }

  /** The one in {@link CacheFolder#standard}. */
  public static NativeCache standard() {
    return new NativeCache(CacheFolder.standard(), NativeCache.class.getClassLoader());
  }

  /**
   * Unpacks files that belong together into one folder.
   *
   * @param folder resource folder, without slashes at its ends
   * @param names files of it
   * @param cure the sentence for a file that is missing from the class path
   * @return their paths, in order
   * @throws io.github.secateur.device.DeviceException UNAVAILABLE, when one is missing or the
   *     folder is unfit
   */
  public List<Path> unpack(String folder, List<String> names, String cure) {
    List<URL> sources = new ArrayList<>();
    for (String name : names) {
      URL source = resources.getResource(folder + "/" + name);
      if (source == null) {
        throw NativeLibraries.unavailable(cure);
      }
      sources.add(source);
    }
    try {
      List<Fingerprint> fingerprints = new ArrayList<>();
      for (URL source : sources) {
        fingerprints.add(Fingerprint.of(source));
      }
      Path target = root.resolve(hash(names, fingerprints));
      CacheFolder.makePrivate(root);
      CacheFolder.makePrivate(target);
      List<Path> paths = new ArrayList<>();
      for (int i = 0; i < names.size(); i++) {
        Path path = target.resolve(names.get(i));
        if (!holds(path, fingerprints.get(i))) {
          write(sources.get(i), fingerprints.get(i), path);
        }
        paths.add(path);
      }
      return paths;
    } catch (AccessDeniedException e) {
      throw unfit("no permission to write " + e.getFile());
    } catch (FileSystemException e) {
      throw unfit(e.getReason() == null ? e.getMessage() : e.getFile() + ": " + e.getReason());
    } catch (IOException e) {
      throw unfit(e.getMessage());
    }
  }

  /** What tells two versions of a file apart. */
  private record Fingerprint(long size, long crc) {
    static Fingerprint of(URL source) throws IOException {
      URLConnection connection = source.openConnection();
      if (connection instanceof JarURLConnection jar && jar.getJarEntry().getCrc() >= 0) {
        return new Fingerprint(jar.getJarEntry().getSize(), jar.getJarEntry().getCrc());
      }
      try (InputStream in = connection.getInputStream()) {
        return of(Channels.newChannel(in));
      }
    }

    static Fingerprint of(ReadableByteChannel channel) throws IOException {
      CRC32 crc = new CRC32();
      ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
      long size = 0;
      while (channel.read(chunk) >= 0) {
        size += chunk.flip().remaining();
        crc.update(chunk);
        chunk.clear();
      }
      return new Fingerprint(size, crc.getValue());
    }
  }

  private static String hash(List<String> names, List<Fingerprint> fingerprints) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest((names + " " + fingerprints).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, HASH_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }

  private static boolean holds(Path path, Fingerprint wanted) throws IOException {
    if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
        || Files.size(path) != wanted.size()) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return Fingerprint.of(channel).equals(wanted);
    }
  }

  private static void write(URL source, Fingerprint wanted, Path path) throws IOException {
    Path temporary = Files.createTempFile(path.getParent(), ".unpacking-", ".tmp");
    try {
      try (InputStream in = source.openStream();
          FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
          OutputStream out = Channels.newOutputStream(channel)) {
        in.transferTo(out);
        channel.force(true);
      }
      if (!holds(temporary, wanted)) {
        throw new IOException(source + " unpacks to other bytes than its jar says");
      }
      Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
      syncFolder(path.getParent());
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private RuntimeException unfit(String why) {
    return NativeLibraries.unavailable(
        "the cache folder %s is unfit for native libraries: %s; choose another with -Dsecateur.cache=DIR"
            .formatted(root, why));
  }
}
