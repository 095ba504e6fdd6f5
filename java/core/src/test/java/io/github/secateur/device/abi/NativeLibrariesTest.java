package io.github.secateur.device.abi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.secateur.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
  @TempDir Path temp;

  private static String refusal(Path library) {
    DeviceException e = assertThrows(DeviceException.class, () -> NativeLibraries.open(library));
    assertEquals(DeviceException.Status.UNAVAILABLE, e.status());
    assertTrue(e.getMessage().contains(library.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e.getMessage();
  }

  @Test
  void saysWhenAFileIsNoLibrary() throws IOException {
    Path text = Files.writeString(temp.resolve("libtext.so"), "no library at all, not even close");
    assertTrue(refusal(text).contains("is not a library for"));
  }

  @Test
  void saysWhenALibraryIsForAnotherProcessor() throws IOException {
    byte[] library = Files.readAllBytes(NativeLibraries.secateur());
    library[18] = (byte) 183; // e_machine: AArch64
    Path foreign = Files.write(temp.resolve("libforeign.so"), library);
    String sentence = refusal(foreign);
    assertTrue(sentence.contains("is not a library for"), sentence);
    assertTrue(sentence.contains(NativeLibraries.platform()), sentence);
  }

  @Test
  void saysWhenTheFileSystemForbidsExecution() throws IOException {
    String sentence =
        NativeLibraries.explain(
            Path.of("/mnt/x/libsecateur.so"),
            "/mnt/x/libsecateur.so: failed to map segment from shared object");
    assertTrue(sentence.contains("noexec"), sentence);
    assertTrue(sentence.contains("-Dsecateur.cache=DIR"), sentence);
    Optional<Path> noexec = writableNoexecFolder();
    assumeTrue(noexec.isPresent(), "no writable noexec mount here; the message was checked above");
    Path copy = Files.createTempFile(noexec.get(), "libsecateur", ".so");
    try {
      Files.write(copy, Files.readAllBytes(NativeLibraries.secateur()));
      assertTrue(refusal(copy).contains("noexec"));
    } finally {
      Files.delete(copy);
    }
  }

  private static Optional<Path> writableNoexecFolder() throws IOException {
    try (Stream<String> mounts = Files.lines(Path.of("/proc/mounts"))) {
      return mounts
          .map(line -> line.split(" "))
          .filter(fields -> fields[2].equals("tmpfs") && fields[3].contains("noexec"))
          .map(fields -> Path.of(fields[1]))
          .filter(path -> Files.isDirectory(path) && Files.isWritable(path))
          .findFirst();
    }
  }

  @Test
  void namesThePlatformAsResourcesAreNamed() {
    String platform = NativeLibraries.platform();
    assertTrue(
        NativeLibraries.class
                .getClassLoader()
                .getResource("io/github/secateur/native/" + platform + "/libsecateur.so")
            != null,
        platform);
  }
}
