package io.github.secateur.device.abi;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Where libsecateur and OpenBLAS are found, and how they are opened. */
@SuppressWarnings("restricted")
public final class NativeLibraries {
  private static final String OPEN = "load native library";

  /**
   * OpenBLAS and what it links against, dependencies first. libgcc_s comes from the system: an
   * older copy loaded first would break whatever needs a newer one later.
   */
  private static final List<String> BLAS_FILES =
      List.of("libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0");

  private NativeLibraries() {}

  /** Path of libsecateur: {@code -Dsecateur.library}, else unpacked from the class path. */
  public static Path secateur() {
    Path given = given("secateur.library");
    if (given != null) {
      return given;
    }
    String platform = platform();
    return NativeCache.standard()
        .unpack(
            "io/github/secateur/native/" + platform,
            List.of("libsecateur.so"),
            "this build has no libsecateur for %s; build it there with 'mvn package', or name one with -Dsecateur.library=PATH"
                .formatted(platform))
        .getLast();
  }

  /** Path of a CBLAS library: {@code -Dsecateur.blas}, else OpenBLAS from the class path. */
  public static Path blas() {
    Path given = given("secateur.blas");
    if (given != null) {
      return given;
    }
    String platform = platform();
    List<Path> files =
        NativeCache.standard()
            .unpack(
                "org/bytedeco/openblas/" + platform,
                BLAS_FILES,
                "OpenBLAS for %s is not on the class path; add org.bytedeco:openblas with classifier %s, or name a CBLAS library with -Dsecateur.blas=PATH"
                    .formatted(platform, platform));
    // Already open, they satisfy OpenBLAS's own references, which no search path would.
    files.subList(0, files.size() - 1).forEach(NativeLibraries::open);
    return files.getLast();
  }

  /** Operating system and processor, as bytedeco and our resources name them: linux-x86_64. */
  public static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "macosx" : os.startsWith("win") ? "windows" : os)
        + "-"
        + (arch.equals("amd64") ? "x86_64" : arch);
  }

  private static Path given(String property) {
    String value = System.getProperty(property);
    if (value == null || value.isEmpty()) {
      return null;
    }
    Path path = Path.of(value).toAbsolutePath();
    if (!Files.isRegularFile(path)) {
      throw unavailable(
          "there is no file %s; correct -D%s or leave it out".formatted(path, property));
    }
    return path;
  }

  /** Opens a library for the rest of the process. */
  public static SymbolLookup open(Path path) {
    if (!isForThisProcess(path)) {
      throw unavailable(
          "%s is not a library for %s; use one that was built for it".formatted(path, platform()));
    }
    try {
      return SymbolLookup.libraryLookup(path, Arena.global());
    } catch (IllegalArgumentException e) {
      throw unavailable(explain(path, reason(path)));
    }
  }

  /** The dynamic linker's own words; SymbolLookup drops them, System.load keeps them. */
  private static String reason(Path path) {
    try {
      System.load(path.toString());
      return "unknown reason";
    } catch (UnsatisfiedLinkError e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** One sentence for a library that does not open: what, where, the cure. */
  public static String explain(Path path, String reason) {
    if (reason.contains("failed to map segment") || reason.contains("Operation not permitted")) {
      return "%s cannot be loaded because its file system forbids execution (mounted noexec); choose another folder with -Dsecateur.cache=DIR"
          .formatted(path);
    }
    return "%s cannot be loaded: %s; install what it lacks or choose another library"
        .formatted(path, reason);
  }

  /** Whether a file is an ELF file of the same word size and processor as the running program. */
  private static boolean isForThisProcess(Path path) {
    try {
      return elfKind(path).equals(elfKind(Path.of("/proc/self/exe")));
    } catch (IOException e) {
      return true; // no Linux, or unreadable: the dynamic linker's reason will have to do
    }
  }

  private static String elfKind(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] header = in.readNBytes(20);
      boolean elf = header.length == 20 && header[0] == 0x7f && header[1] == 'E';
      return elf ? HexFormat.of().formatHex(header, 4, 6) + header[18] + "." + header[19] : "none";
    }
  }

  public static DeviceException unavailable(String sentence) {
    return new DeviceException(OPEN, Status.UNAVAILABLE, sentence);
  }
}
