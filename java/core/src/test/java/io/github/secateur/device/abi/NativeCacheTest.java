package io.github.secateur.device.abi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.secateur.device.CacheFolder;
import io.github.secateur.device.DeviceException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  private static final String CURE = "the library is not on the class path; add it";
  private static final List<String> NAMES = List.of("libone.so", "libtwo.so.0");

  @TempDir Path temp;

  private static byte[] content(int version) {
    byte[] bytes = new byte[100_000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 7 + version);
    }
    return bytes;
  }

  /** A class path with both libraries, in a jar or in a folder. */
  private URLClassLoader classPath(boolean jar, int version) throws IOException {
    Path place = temp.resolve("class-path-" + jar + version);
    if (jar) {
      try (OutputStream file = Files.newOutputStream(place);
          JarOutputStream out = new JarOutputStream(file)) {
        for (String name : NAMES) {
          out.putNextEntry(new JarEntry("lib/" + name));
          out.write(content(version));
        }
      }
    } else {
      Files.createDirectories(place.resolve("lib"));
      for (String name : NAMES) {
        Files.write(place.resolve("lib").resolve(name), content(version));
      }
    }
    URL url = place.toUri().toURL();
    return new URLClassLoader(new URL[] {url}, null);
  }

  private Path root() {
    return temp.resolve("cache").resolve("secateur");
  }

  private static List<Path> unpack(Path root, ClassLoader resources) {
    return new NativeCache(root, resources).unpack("lib", NAMES, CURE);
  }

  @Test
  void unpacksIntoOnePrivateFolder() throws IOException {
    for (boolean jar : new boolean[] {true, false}) {
      try (URLClassLoader resources = classPath(jar, 1)) {
        List<Path> paths = unpack(root(), resources);
        assertEquals(NAMES, paths.stream().map(p -> p.getFileName().toString()).toList());
        Path folder = paths.getFirst().getParent();
        assertEquals(root(), folder.getParent());
        for (Path path : paths) {
          assertEquals(folder, path.getParent());
          assertArrayEquals(content(1), Files.readAllBytes(path));
        }
        for (Path made : List.of(root(), folder)) {
          assertEquals(
              "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(made)));
        }
        assertNothingHalfWritten(folder);
      }
    }
    // The jar and the folder hold the same bytes: one place for both.
    try (Stream<Path> folders = Files.list(root())) {
      assertEquals(1, folders.count());
    }
  }

  private static void assertNothingHalfWritten(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(NAMES.size(), files.count(), "files in " + folder);
    }
  }

  @Test
  void keepsAFileThatIsRight() throws IOException {
    try (URLClassLoader resources = classPath(true, 1)) {
      Path first = unpack(root(), resources).getFirst();
      Object inode = Files.getAttribute(first, "unix:ino");
      assertEquals(first, unpack(root(), resources).getFirst());
      assertEquals(inode, Files.getAttribute(first, "unix:ino"));
    }
  }

  @Test
  void replacesAFileThatIsDamaged() throws IOException {
    try (URLClassLoader resources = classPath(true, 1)) {
      Path file = unpack(root(), resources).getFirst();
      byte[] flipped = content(1);
      flipped[5000] ^= 1;
      for (byte[] damage : List.of(flipped, new byte[0], new byte[200_000])) {
        Files.write(file, damage);
        unpack(root(), resources);
        assertArrayEquals(content(1), Files.readAllBytes(file));
      }
      // A link in its place is not followed, and what it names is left alone.
      Path elsewhere = Files.write(temp.resolve("elsewhere"), content(1));
      Files.delete(file);
      Files.createSymbolicLink(file, elsewhere);
      unpack(root(), resources);
      assertFalse(Files.isSymbolicLink(file));
      assertNothingHalfWritten(file.getParent());
    }
  }

  @Test
  void keepsVersionsApart() throws IOException {
    try (URLClassLoader one = classPath(true, 1);
        URLClassLoader two = classPath(true, 2)) {
      Path first = unpack(root(), one).getFirst();
      Path second = unpack(root(), two).getFirst();
      assertNotEquals(first, second);
      assertArrayEquals(content(1), Files.readAllBytes(first));
      assertArrayEquals(content(2), Files.readAllBytes(second));
    }
  }

  @Test
  void unpacksOnceForManyAtOnce() throws Exception {
    try (URLClassLoader resources = classPath(true, 1);
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Callable<Path>> tasks = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        tasks.add(() -> unpack(root(), resources).getFirst());
      }
      for (Future<Path> path : threads.invokeAll(tasks)) {
        assertArrayEquals(content(1), Files.readAllBytes(path.get()));
        assertNothingHalfWritten(path.get().getParent());
      }
    }
  }

  private void assertRefused(Path root, String why) throws IOException {
    try (URLClassLoader resources = classPath(true, 1)) {
      DeviceException e =
          assertThrows(DeviceException.class, () -> unpack(root, resources), "unpacked to " + root);
      assertEquals(DeviceException.Status.UNAVAILABLE, e.status());
      assertTrue(e.getMessage().contains(why), e.getMessage());
      assertTrue(e.getMessage().contains("-Dsecateur.cache=DIR"), e.getMessage());
      assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
  }

  @Test
  void refusesAFolderThatCannotBeWritten() throws IOException {
    Path file = Files.createFile(temp.resolve("file"));
    assertRefused(file.resolve("secateur"), file.toString());
    assertRefused(file, "is not a folder");
    assertRefused(Path.of("/proc/secateur"), "/proc/secateur");
  }

  @Test
  void refusesAFolderOthersCanWrite() throws IOException {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertRefused(shared, "can be written by other users");
    assertEquals(
        "rwxrwxrwx",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(shared)),
        "a folder that was there before is not changed");
  }

  @Test
  void refusesAFolderOfSomebodyElse() throws IOException {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
        "only root can give a folder away");
    Path foreign = Files.createDirectory(temp.resolve("foreign"));
    Files.setAttribute(foreign, "unix:uid", 12345);
    assertRefused(foreign, "belongs to another user");
  }

  @Test
  void saysWhatIsMissing() {
    DeviceException e =
        assertThrows(
            DeviceException.class, () -> unpack(root(), ClassLoader.getPlatformClassLoader()));
    assertEquals(DeviceException.Status.UNAVAILABLE, e.status());
    assertTrue(e.getMessage().endsWith(CURE), e.getMessage());
    assertFalse(Files.exists(root()), "nothing is made before it is needed");
  }

  @Test
  void findsItsFolder() {
    Path home = Path.of(System.getProperty("user.home"));
    assertEquals(Path.of("/a/b"), CacheFolder.standard("/a/b", "/x"));
    assertEquals(Path.of("/x/secateur"), CacheFolder.standard(null, "/x"));
    assertEquals(home.resolve(".cache/secateur"), CacheFolder.standard(null, null));
    assertEquals(home.resolve(".cache/secateur"), CacheFolder.standard("", "relative"));
  }
}
