package io.github.secateur.cuda;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import io.github.secateur.device.abi.Abi;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The few driver functions needed before JCuda is loaded, or that JCuda lacks. */
@SuppressWarnings("restricted")
public final class Driver {
  /** Oldest driver that runs CUDA 12: 525, whose API version is 12.0. */
  private static final int OLDEST = 12000;

  private static final int OLDEST_CAPABILITY = 75;
  private static final int CAPABILITY_MAJOR = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  private static final int CAPABILITY_MINOR = 76;
  private static final int RELEASE_THRESHOLD = 4; // CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
  private static final int NO_DEVICE = 100;
  private static final int NAME_BYTES = 256;

  private final SymbolLookup library;

  Driver(SymbolLookup library) {
    this.library = library;
  }

  /**
   * A GPU.
   *
   * @param driver API version of the driver, such as 12060
   * @param name as the driver spells it
   * @param capability compute capability times ten, such as 90
   * @param memory bytes
   */
  record Gpu(int driver, String name, int capability, long memory) {
    String driverVersion() {
      return driver / 1000 + "." + driver % 1000 / 10;
    }

    String capabilityVersion() {
      return capability / 10 + "." + capability % 10;
    }

    boolean isSimulated() {
      return name.startsWith("Simulated CUDA device");
    }
  }

  /**
   * Initialises the driver and describes a GPU; throws UNAVAILABLE with the reason and the cure.
   */
  Gpu describe(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(ValueLayout.JAVA_LONG);
      check("cuDriverGetVersion", call("cuDriverGetVersion", number));
      int version = number.get(ValueLayout.JAVA_INT, 0);
      if (version < OLDEST) {
        throw unavailable(
            "the NVIDIA driver supports CUDA %d.%d and 12.0 is needed; install driver 525 or later"
                .formatted(version / 1000, version % 1000 / 10));
      }
      int status = call("cuInit", 0);
      if (status == NO_DEVICE) {
        throw unavailable(
            "the NVIDIA driver finds no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES");
      }
      check("cuInit", status);
      check("cuDeviceGetCount", call("cuDeviceGetCount", number));
      int count = number.get(ValueLayout.JAVA_INT, 0);
      if (ordinal >= count) {
        throw unavailable(
            "the NVIDIA driver shows %d GPUs, so none numbered %d; check CUDA_VISIBLE_DEVICES"
                .formatted(count, ordinal));
      }
      check("cuDeviceGet", call("cuDeviceGet", number, ordinal));
      int device = number.get(ValueLayout.JAVA_INT, 0);
      MemorySegment text = arena.allocate(NAME_BYTES);
      check("cuDeviceGetName", call("cuDeviceGetName", text, NAME_BYTES, device));
      check("cuDeviceTotalMem", call("cuDeviceTotalMem_v2", number, device));
      Gpu gpu =
          new Gpu(
              version,
              text.getString(0),
              10 * attribute(CAPABILITY_MAJOR, device) + attribute(CAPABILITY_MINOR, device),
              number.get(ValueLayout.JAVA_LONG, 0));
      if (gpu.capability() < OLDEST_CAPABILITY) {
        throw unavailable(
            "%s has compute capability %s and 7.5 is needed; use a GPU of the Turing generation or later"
                .formatted(gpu.name(), gpu.capabilityVersion()));
      }
      return gpu;
    }
  }

  private int attribute(int attribute, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      check("cuDeviceGetAttribute", call("cuDeviceGetAttribute", value, attribute, device));
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** Lets a memory pool keep so many bytes when they are freed. Returns the driver's status. */
  public int setReleaseThreshold(long pool, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_LONG, bytes);
      return call("cuMemPoolSetAttribute", MemorySegment.ofAddress(pool), RELEASE_THRESHOLD, value);
    }
  }

  /** Calls {@code int name(arguments...)}, each an Integer or a MemorySegment. */
  private int call(String name, Object... arguments) {
    MemoryLayout[] layouts = new MemoryLayout[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      layouts[i] = arguments[i] instanceof Integer ? ValueLayout.JAVA_INT : ValueLayout.ADDRESS;
    }
    MemorySegment symbol =
        library
            .find(name)
            .orElseThrow(
                () ->
                    unavailable(
                        "the NVIDIA driver lacks the function %s; install driver 525 or later"
                            .formatted(name)));
    MethodHandle handle =
        Linker.nativeLinker()
            .downcallHandle(symbol, FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts));
    try {
      return (int) handle.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  private void check(String name, int status) {
    if (status != 0) {
      throw unavailable(
          "%s of the NVIDIA driver failed with %s; check nvidia-smi".formatted(name, name(status)));
    }
  }

  /** The driver's name of a status, such as CUDA_ERROR_OUT_OF_MEMORY. */
  public String name(int status) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(ValueLayout.ADDRESS);
      return call("cuGetErrorName", status, text) == 0
          ? Abi.text(text.get(ValueLayout.JAVA_LONG, 0))
          : "status " + status;
    }
  }

  static DeviceException unavailable(String sentence) {
    return new DeviceException("open device cuda", Status.UNAVAILABLE, sentence);
  }
}
