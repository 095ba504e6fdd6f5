package io.github.secateur.cli;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.Devices;
import picocli.CommandLine.Option;

/** Options that every command which computes has. */
final class CommonOptions {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description =
          "Device: cpu, cuda or auto (the fastest usable one; default). One asked for by name never"
              + " falls back. 'secateur devices' lists them.")
  String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "CPU threads; 0 (default) takes all processors. Results do not depend on it.")
  int threads;

  @Option(
      names = "--tf32",
      description =
          "Let dense products on cuda round their factors to TF32 (10 bits of mantissa): faster,"
              + " less exact. No effect on the CPU.")
  boolean tf32;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of all random numbers (default: ${DEFAULT-VALUE}).")
  long seed;

  @Option(names = "--json", description = "Print the result as JSON on standard output.")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "No progress on standard error.")
  boolean quiet;

  /** Opens the device asked for; the caller closes it. */
  Device openDevice() {
    return Devices.open(device, deviceOptions());
  }

  DeviceOptions deviceOptions() {
    return new DeviceOptions(threads, tf32);
  }

  /** Progress on standard error. */
  ConsoleProgress progress() {
    return new ConsoleProgress(quiet);
  }
}
