package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the device says where something is missing. Each case is a process of its own: the dynamic
 * linker reads its path once, and a library once open stays so.
 */
class StartUpTest {
  private static final Path SIMULATOR = Path.of(System.getenv("LD_LIBRARY_PATH"));

  @TempDir Path temp;

  /** Opens the device and says so. */
  static final class Open {
    private Open() {}

    public static void main(String[] arguments) {
      try (var device = new CudaDeviceProvider().open(DeviceOptions.defaults())) {
        System.out.println("open: " + device.info());
      }
    }
  }

  /** Prints what the provider's probe says. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      var probe = new CudaDeviceProvider().probe();
      System.out.println((probe.usable() ? "usable: " : "not usable: ") + probe.description());
    }
  }

  private String probe(Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    return run(Main.class, environment, options);
  }

  private String run(Class<?> program, Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.add("-Duser.home=" + temp.resolve("home"));
    command.add("-Dsecateur.cache=" + temp.resolve("cache"));
    command.addAll(List.of(options));
    String classPath = System.getProperty("java.class.path");
    command.addAll(List.of("-cp", classPath, program.getName()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectErrorStream(true);
    for (String name : List.of("LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CUDA_HOME")) {
      builder.environment().remove(name);
    }
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertEquals(1, output.lines().count(), output);
    return output.strip();
  }

  private static void assertSays(String output, String... parts) {
    assertTrue(output.startsWith("not usable: "), output);
    for (String part : parts) {
      assertTrue(output.contains(part), output);
    }
  }

  /** A folder with links to some of the stand-ins. */
  private Path folder(String name, String... sonames) throws IOException {
    Path folder = Files.createDirectories(temp.resolve(name));
    for (String soname : sonames) {
      Files.createSymbolicLink(folder.resolve(soname), SIMULATOR.resolve(soname).toRealPath());
    }
    return folder;
  }

  @Test
  void saysThatThereIsNoDriver() throws Exception {
    assertSays(probe(Map.of()), "no NVIDIA driver", "libcuda.so.1", "525");
  }

  @Test
  void saysThatCublasIsMissing() throws Exception {
    Path driver = folder("driver", "libcuda.so.1");
    assertSays(
        probe(Map.of("LD_LIBRARY_PATH", driver.toString())),
        "libcublas.so.12 was not found",
        "pip install",
        "-Dsecateur.cuda.libraries=DIR");
  }

  @Test
  void saysThatCusparseIsMissing() throws Exception {
    Path both = folder("both", "libcuda.so.1", "libcublas.so.12");
    assertSays(
        probe(Map.of("LD_LIBRARY_PATH", both.toString())), "libcusparse.so.12 was not found");
  }

  @Test
  void saysThatTheGivenFolderIsNotThere() throws Exception {
    Path driver = folder("driver", "libcuda.so.1");
    assertSays(
        probe(
            Map.of("LD_LIBRARY_PATH", driver.toString()),
            "-Dsecateur.cuda.libraries=/no/such/folder"),
        "there is no folder /no/such/folder",
        "-Dsecateur.cuda.libraries");
  }

  @Test
  void saysThatAGivenFileIsNoLibrary() throws Exception {
    Path driver = folder("driver", "libcuda.so.1");
    Path given = Files.createDirectory(temp.resolve("given"));
    Files.writeString(given.resolve("libcublas.so.12"), "no library at all, not even close");
    assertSays(
        probe(Map.of("LD_LIBRARY_PATH", driver.toString()), "-Dsecateur.cuda.libraries=" + given),
        given.resolve("libcublas.so.12").toString(),
        "is not a library for");
  }

  @Test
  void findsLibrariesInTheGivenFolder() throws Exception {
    Path driver = folder("driver", "libcuda.so.1");
    Path given = folder("given", "libcublas.so.12", "libcusparse.so.12");
    String output =
        probe(Map.of("LD_LIBRARY_PATH", driver.toString()), "-Dsecateur.cuda.libraries=" + given);
    assertTrue(output.startsWith("usable: Simulated CUDA device"), output);
  }

  @Test
  void findsLibrariesOfPip() throws Exception {
    Path driver = folder("driver", "libcuda.so.1");
    folder("venv/lib/python3.12/site-packages/nvidia/cublas/lib", "libcublas.so.12");
    folder("venv/lib/python3.12/site-packages/nvidia/cusparse/lib", "libcusparse.so.12");
    String output =
        probe(
            Map.of(
                "LD_LIBRARY_PATH",
                driver.toString(),
                "VIRTUAL_ENV",
                temp.resolve("venv").toString()));
    assertTrue(output.startsWith("usable: Simulated CUDA device"), output);
  }

  /** Creates a cuBLAS handle through JCuda, without a device: the simulator works with its own. */
  static final class Cublas {
    private Cublas() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
      CudaLibraries libraries = CudaLibraries.open();
      Class<?> library = JCudaLoader.get().loadClass("jcuda.jcublas.JCublas2");
      Class<?> type = JCudaLoader.get().loadClass("jcuda.jcublas.cublasHandle");
      Object handle = type.getConstructor().newInstance();
      Object created = library.getMethod("cublasCreate", type).invoke(null, handle);
      Object destroyed = library.getMethod("cublasDestroy", type).invoke(null, handle);
      System.out.printf("%s %s %s%n", created, destroyed, libraries.paths().get("libcublas"));
    }
  }

  @Test
  void forwardsToCublas13() throws Exception {
    Path host = folder("host", "libcuda.so.1", "libcusparse.so.12");
    Path thirteen = SIMULATOR.resolveSibling("forward").resolve("test").resolve("libcublas.so.13");
    Files.createSymbolicLink(host.resolve("libcublas.so.13"), thirteen.toRealPath());
    String output = run(Cublas.class, Map.of("LD_LIBRARY_PATH", host.toString()));
    assertEquals("0 0 " + thirteen.toRealPath(), output);
    // Without it the same program finds no cuBLAS at all.
    Files.delete(host.resolve("libcublas.so.13"));
    output = probe(Map.of("LD_LIBRARY_PATH", host.toString()));
    assertSays(output, "libcublas.so.12 was not found");
  }

  @Test
  void neverExtractsNativesToTheTemporaryFolder() throws Exception {
    Path scratch = Files.createDirectory(temp.resolve("tmp"));
    String output =
        run(
            Open.class,
            Map.of("LD_LIBRARY_PATH", SIMULATOR.toString()),
            "-Djava.io.tmpdir=" + scratch);
    assertTrue(output.startsWith("open: "), output);
    assertTrue(output.contains("simulated=true"), output);
    assertTrue(output.contains("libcuda=" + SIMULATOR.toRealPath()), output);
    try (var files = Files.list(scratch)) {
      assertEquals(List.of(), files.toList());
    }
  }
}
