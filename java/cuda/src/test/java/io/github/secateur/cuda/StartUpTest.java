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

  /** Prints what the provider's probe says; with an argument, opens the device and says so. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      CudaDeviceProvider provider = new CudaDeviceProvider();
      if (arguments.length > 0) {
        try (var device = provider.open(DeviceOptions.defaults())) {
          System.out.println("open: " + device.info());
        }
        return;
      }
      var probe = provider.probe();
      System.out.println((probe.usable() ? "usable: " : "not usable: ") + probe.description());
    }
  }

  private String probe(Map<String, String> environment, String... options)
      throws IOException, InterruptedException {
    return run(environment, List.of(options), List.of());
  }

  private String run(Map<String, String> environment, List<String> options, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
    command.add("-Duser.home=" + temp.resolve("home"));
    command.add("-Dsecateur.cache=" + temp.resolve("cache"));
    command.addAll(options);
    String classPath = System.getProperty("java.class.path");
    command.addAll(List.of("-cp", classPath, Main.class.getName()));
    command.addAll(arguments);
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

  @Test
  void neverExtractsNativesToTheTemporaryFolder() throws Exception {
    Path scratch = Files.createDirectory(temp.resolve("tmp"));
    String output =
        run(
            Map.of("LD_LIBRARY_PATH", SIMULATOR.toString()),
            List.of("-Djava.io.tmpdir=" + scratch),
            List.of("open"));
    assertTrue(output.startsWith("open: "), output);
    assertTrue(output.contains("simulated=true"), output);
    assertTrue(output.contains("libcuda=" + SIMULATOR.toRealPath()), output);
    try (var files = Files.list(scratch)) {
      assertEquals(List.of(), files.toList());
    }
  }
}
