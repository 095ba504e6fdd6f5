package io.github.secateur.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A lost device is terminal: every later call says so, and closing still works. Each case is a
 * process of its own, because a lost context is lost for the whole process.
 */
class LostDeviceTest {
  private static String run(int fault) throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            LostDevice.class.getName(),
            Integer.toString(fault));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  @Test
  void saysThatAFaultOfAKernelIsTheEnd() throws Exception {
    check(run(Simulator.LAUNCH));
  }

  @Test
  void saysThatTheDeviceWentAway() throws Exception {
    check(run(Simulator.LOST));
  }

  private static void check(String output) {
    List<String> lines = output.lines().filter(line -> line.startsWith("DEVICE_LOST")).toList();
    if (lines.size() != LostDevice.CALLS) {
      fail(
          "of %d calls not all say that the device is lost:%n%s"
              .formatted(LostDevice.CALLS, output));
    }
    assertTrue(output.lines().anyMatch("closed"::equals), output);
  }
}
