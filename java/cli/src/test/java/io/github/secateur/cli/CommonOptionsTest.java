package io.github.secateur.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.device.DeviceOptions;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** How options on the command line open a device. */
class CommonOptionsTest {
  private static DeviceOptions parse(String... arguments) {
    return CommandLine.populateCommand(new CommonOptions(), arguments).deviceOptions();
  }

  @Test
  void productsAreInFullF32UnlessAskedOtherwise() {
    assertEquals(DeviceOptions.defaults(), parse());
    assertEquals(new DeviceOptions(0, true), parse("--tf32"));
    assertEquals(new DeviceOptions(2, true), parse("--threads", "2", "--tf32"));
  }

  @Test
  void everyCommandThatComputesTakesTf32() {
    for (String command : new String[] {"demo", "train", "prune", "eval", "bench"}) {
      assertTrue(Console.run(command, "--help").out().contains("--tf32"), command);
    }
  }
}
