package io.github.secateur.device;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where Secateur keeps what it can make again: unpacked libraries and measured times. Its folders
 * have mode 0700 and are refused when somebody else owns or can write them, as what is read from
 * them is trusted.
 */
public final class CacheFolder {
  private CacheFolder() {}

  /** {@code -Dsecateur.cache}, else {@code $XDG_CACHE_HOME/secateur}, else ~/.cache/secateur. */
  public static Path standard() {
    return standard(System.getProperty("secateur.cache"), System.getenv("XDG_CACHE_HOME"));
  }

  /** The same from the two settings, each of which may be null. */
  public static Path standard(String property, String xdgCacheHome) {
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
   * Makes a folder of mode 0700, or checks that an existing one is ours alone to write.
   *
   * @throws IOException why it is unfit
   */
  public static void makePrivate(Path folder) throws IOException {
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
}
