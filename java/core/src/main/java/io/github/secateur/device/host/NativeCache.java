package io.github.secateur.device.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * A private folder for shared libraries unpacked from the class path: {@code
 * ROOT/<sha-256>/<name>}, where the hash is over names and contents of the files that belong
 * together.
 *
 * <p>Folders are made with mode 0700 and refused when somebody else owns or can write them. A file
 * is written under a temporary name, synced and renamed, so it is whole or absent; one already
 * there is hashed before it is trusted, and replaced when it differs.
 */
final class NativeCache {
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

  /** {@code -Dsecateur.cache}, else {@code $XDG_CACHE_HOME/secateur}, else ~/.cache/secateur. */
  static NativeCache standard() {
    return new NativeCache(
        standardRoot(System.getProperty("secateur.cache"), System.getenv("XDG_CACHE_HOME")),
        NativeCache.class.getClassLoader());
  }

  static Path standardRoot(String property, String xdgCacheHome) {
    if (property != null && !property.isEmpty()) {
      return Path.of(property);
    }
    // The XDG specification has relative paths ignored.
    if (xdgCacheHome != null && Path.of(xdgCacheHome).isAbsolute()) {
      return Path.of(xdgCacheHome, "secateur");
    }
    return Path.of(System.getProperty("user.home"), ".cache", "secateur");
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
  List<Path> unpack(String folder, List<String> names, String cure) {
    List<String> hashes = new ArrayList<>();
    MessageDigest all = sha256();
    for (String name : names) {
      String hash = hashOfResource(folder + "/" + name, cure);
      hashes.add(hash);
      all.update((name + ":" + hash + "\n").getBytes(StandardCharsets.UTF_8));
    }
    Path target = root.resolve(HexFormat.of().formatHex(all.digest()).substring(0, HASH_DIGITS));
    try {
      makePrivate(root);
      makePrivate(target);
      List<Path> paths = new ArrayList<>();
      for (int i = 0; i < names.size(); i++) {
        Path path = target.resolve(names.get(i));
        if (!holds(path, hashes.get(i))) {
          write(folder + "/" + names.get(i), hashes.get(i), path);
        }
        paths.add(path);
      }
      return paths;
    } catch (AccessDeniedException e) {
      throw unfit("no permission to write " + e.getFile());
    } catch (IOException e) {
      throw unfit(e.getMessage() == null ? e.toString() : e.getMessage());
    }
  }

  private String hashOfResource(String name, String cure) {
    try (InputStream in = resources.getResourceAsStream(name)) {
      if (in == null) {
        throw NativeLibraries.unavailable(cure);
      }
      return hash(in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read resource " + name, e);
    }
  }

  private static String hash(InputStream in) throws IOException {
    MessageDigest digest = sha256();
    byte[] chunk = new byte[CHUNK];
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      digest.update(chunk, 0, n);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static boolean holds(Path path, String hash) throws IOException {
    if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (InputStream in = Files.newInputStream(path)) {
      return hash(in).equals(hash);
    }
  }

  private void write(String resource, String hash, Path path) throws IOException {
    Path temporary = Files.createTempFile(path.getParent(), ".unpacking-", ".tmp");
    try {
      try (InputStream in = resources.getResourceAsStream(resource);
          FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
          OutputStream out = Channels.newOutputStream(channel)) {
        if (in == null) {
          throw new IOException("resource " + resource + " vanished from the class path");
        }
        in.transferTo(out);
        channel.force(true);
      }
      if (!holds(temporary, hash)) {
        throw new IOException(temporary + " reads back other bytes than were written");
      }
      Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
      syncFolder(path.getParent());
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException("its file system cannot rename atomically", e);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Makes a folder of mode 0700, or checks that an existing one is ours alone to write. */
  private void makePrivate(Path folder) throws IOException {
    if (folder.getParent() != null) {
      Files.createDirectories(folder.getParent());
    }
    try {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(folder)) {
        throw new IOException(folder + " is not a folder", e);
      }
    }
    Object owner = Files.getAttribute(folder, "unix:uid");
    if (!owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
      throw new IOException(folder + " belongs to another user (" + Files.getOwner(folder) + ")");
    }
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(folder);
    if (mode.contains(PosixFilePermission.GROUP_WRITE)
        || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(folder + " can be written by other users");
    }
  }

  private RuntimeException unfit(String why) {
    return NativeLibraries.unavailable(
        "the cache folder %s is unfit for native libraries: %s; choose another with -Dsecateur.cache=DIR"
            .formatted(root, why));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
