package io.github.secateur.cuda;

import io.github.secateur.device.abi.NativeCache;
import io.github.secateur.device.abi.NativeLibraries;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The shared libraries of CUDA that are open in this process: the driver, cuBLAS and cuSPARSE.
 *
 * <p>JCuda's natives name them without a folder, so each is opened here first, dependencies before
 * it, and they then bind to what is open. A library is looked for in {@code
 * -Dsecateur.cuda.libraries}, where the dynamic linker looks, in pip's {@code nvidia} packages, in
 * {@code CUDA_HOME}, and in a CUDA redistributable on the class path.
 *
 * @param driver libcuda.so.1
 * @param cusparse functions of libcusparse.so.12, for those that JCuda lacks
 * @param paths where each came from, by name: libcuda, libcublas, libcusparse
 */
@SuppressWarnings("restricted")
public record CudaLibraries(Driver driver, SymbolLookup cusparse, Map<String, String> paths) {
  /** A library by soname, its folder in pip's packages, and what must be open before it. */
  private record Wanted(String soname, String pip, List<Wanted> dependencies) {}

  private static final Wanted NVJITLINK = new Wanted("libnvJitLink.so.12", "nvjitlink", List.of());
  private static final Wanted CUBLAS =
      new Wanted(
          "libcublas.so.12",
          "cublas",
          List.of(new Wanted("libcublasLt.so.12", "cublas", List.of())));
  private static final Wanted CUSPARSE =
      new Wanted("libcusparse.so.12", "cusparse", List.of(NVJITLINK));
  private static final Wanted CUBLAS_13 =
      new Wanted(
          "libcublas.so.13", "cu13", List.of(new Wanted("libcublasLt.so.13", "cu13", List.of())));

  private static final String CURE =
      "install it (pip install nvidia-cublas-cu12 nvidia-cusparse-cu12), or name its folder with"
          + " -Dsecateur.cuda.libraries=DIR";

  /** Opens all three; throws UNAVAILABLE with one sentence on the first that is missing. */
  static CudaLibraries open() {
    SymbolLookup driver =
        byName("libcuda.so.1")
            .orElseThrow(
                () ->
                    Driver.unavailable(
                        "there is no NVIDIA driver here (libcuda.so.1 was not found); install"
                            + " driver 525 or later"));
    String cublas = openCublas();
    SymbolLookup cusparse =
        openLibrary(CUSPARSE)
            .orElseThrow(() -> Driver.unavailable("libcusparse.so.12 was not found; " + CURE));
    return new CudaLibraries(
        new Driver(driver),
        cusparse,
        Map.of(
            "libcuda", MappedFiles.path("libcuda.so.1"),
            "libcublas", MappedFiles.path(cublas),
            "libcusparse", MappedFiles.path(CUSPARSE.soname())));
  }

  /** Opens cuBLAS 12, or 13 and our library that forwards to it; returns the name of which. */
  private static String openCublas() {
    if (openLibrary(CUBLAS).isPresent()) {
      return CUBLAS.soname();
    }
    if (openLibrary(CUBLAS_13).isEmpty()) {
      throw Driver.unavailable("libcublas.so.12 was not found; " + CURE);
    }
    String platform = NativeLibraries.platform();
    NativeLibraries.open(
        NativeCache.standard()
            .unpack(
                "io/github/secateur/native/" + platform,
                List.of("libcublas.so.12"),
                "only libcublas.so.13 was found (%s) and this build cannot forward to it; %s"
                    .formatted(MappedFiles.path("libcublas.so.13"), CURE))
            .getLast());
    return CUBLAS_13.soname();
  }

  private static Optional<SymbolLookup> openLibrary(Wanted wanted) {
    Optional<SymbolLookup> opened = given(wanted);
    if (opened.isEmpty()) {
      opened = byName(wanted.soname());
    }
    for (Path folder : opened.isPresent() ? List.<Path>of() : folders(wanted)) {
      opened = inFolder(wanted, folder);
      if (opened.isPresent()) {
        break;
      }
    }
    return opened.isPresent() ? opened : redistributable(wanted);
  }

  private static Optional<SymbolLookup> given(Wanted wanted) {
    String folder = System.getProperty("secateur.cuda.libraries");
    if (folder == null || folder.isEmpty()) {
      return Optional.empty();
    }
    if (!Files.isDirectory(Path.of(folder))) {
      throw Driver.unavailable(
          "there is no folder %s; correct -Dsecateur.cuda.libraries or leave it out"
              .formatted(folder));
    }
    return inFolder(wanted, Path.of(folder));
  }

  private static Optional<SymbolLookup> byName(String soname) {
    try {
      return Optional.of(SymbolLookup.libraryLookup(soname, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not on the dynamic linker's path, or what it needs is not
    }
  }

  private static Optional<SymbolLookup> inFolder(Wanted wanted, Path folder) {
    Path file = folder.resolve(wanted.soname());
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    for (Wanted dependency : wanted.dependencies()) {
      if (inFolder(dependency, folder).isEmpty()) {
        openLibrary(dependency); // if it is nowhere, opening the file itself says so
      }
    }
    return Optional.of(NativeLibraries.open(file));
  }

  /** Folders of pip's packages and of CUDA's toolkit that are there. */
  private static List<Path> folders(Wanted wanted) {
    List<Path> folders = new ArrayList<>();
    for (Path packages : sitePackages()) {
      folders.add(packages.resolve("nvidia").resolve(wanted.pip()).resolve("lib"));
    }
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      String home = System.getenv(variable);
      if (home != null && !home.isEmpty()) {
        folders.add(Path.of(home, "lib64"));
      }
    }
    folders.add(Path.of("/usr/local/cuda/lib64"));
    folders.removeIf(folder -> !Files.isDirectory(folder));
    return folders;
  }

  private static List<Path> sitePackages() {
    List<Path> libs = new ArrayList<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String home = System.getenv(variable);
      if (home != null && !home.isEmpty()) {
        libs.add(Path.of(home, "lib"));
      }
    }
    libs.add(Path.of(System.getProperty("user.home"), ".local", "lib"));
    libs.add(Path.of("/usr/local/lib"));
    libs.add(Path.of("/usr/lib"));
    List<Path> packages = new ArrayList<>();
    for (Path lib : libs) {
      for (Path python : pythons(lib)) {
        packages.add(python.resolve("site-packages"));
        packages.add(python.resolve("dist-packages"));
      }
    }
    packages.removeIf(folder -> !Files.isDirectory(folder));
    return packages;
  }

  private static List<Path> pythons(Path lib) {
    if (!Files.isDirectory(lib)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(lib)) {
      return entries
          .filter(e -> e.getFileName().toString().startsWith("python3"))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of(); // a folder that cannot be read offers nothing
    }
  }

  /** The CUDA redistributable of bytedeco, when it is on the class path (profile cuda-redist). */
  private static Optional<SymbolLookup> redistributable(Wanted wanted) {
    String folder = "org/bytedeco/cuda/" + NativeLibraries.platform();
    ClassLoader resources = CudaLibraries.class.getClassLoader();
    if (resources.getResource(folder + "/" + wanted.soname()) == null) {
      return Optional.empty();
    }
    List<String> names = new ArrayList<>();
    wanted.dependencies().forEach(dependency -> names.add(dependency.soname()));
    names.add(wanted.soname());
    List<Path> files =
        NativeCache.standard()
            .unpack(
                folder,
                names,
                "the CUDA redistributable on the class path is incomplete; add org.bytedeco:cuda"
                    + " again");
    SymbolLookup opened = null;
    for (Path file : files) {
      opened = NativeLibraries.open(file);
    }
    return Optional.of(opened);
  }
}
