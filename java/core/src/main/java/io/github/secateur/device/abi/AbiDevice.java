package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The process-wide settings, the device and its memory in secateur.h. */
public final class AbiDevice {
  /** secateur_device_kind. */
  public static final int CPU = 0;

  public static final int CUDA = 1;

  private static final MethodHandle CPU_ISA = Abi.bind("secateur_cpu_isa", LONG);
  private static final MethodHandle SET_THREADS = Abi.bind("secateur_set_threads", INT, INT);
  private static final MethodHandle THREADS = Abi.bind("secateur_threads", INT);
  private static final MethodHandle BLAS_LOAD =
      Abi.bind("secateur_blas_load", INT, ValueLayout.ADDRESS);
  private static final MethodHandle BLAS_CONFIG = Abi.bind("secateur_blas_config", LONG);
  private static final MethodHandle BLAS_CORE = Abi.bind("secateur_blas_core", LONG);
  private static final MethodHandle OPEN =
      Abi.bind("secateur_device_open", INT, INT, INT, ValueLayout.ADDRESS);
  private static final MethodHandle CLOSE = Abi.bind("secateur_device_close", INT, LONG);
  private static final MethodHandle ALLOC = Abi.bind("secateur_alloc", INT, LONG, LONG, LONG);
  private static final MethodHandle FREE = Abi.bind("secateur_free", INT, LONG, LONG);
  // Host memory travels as a segment, so that the linker keeps it alive and checks its owner.
  private static final MethodHandle UPLOAD =
      Abi.operation("secateur_upload", ValueLayout.ADDRESS, LONG, LONG);
  private static final MethodHandle DOWNLOAD =
      Abi.operation("secateur_download", LONG, ValueLayout.ADDRESS, LONG);
  private static final MethodHandle COPY = Abi.operation("secateur_copy", LONG, LONG, LONG);
  private static final MethodHandle ZERO = Abi.operation("secateur_zero", LONG, LONG);
  private static final MethodHandle SYNCHRONIZE = Abi.operation("secateur_synchronize");

  private AbiDevice() {}

  public static String isa() {
    return text(CPU_ISA);
  }

  public static void setThreads(int threads) {
    int status;
    try {
      status = (int) SET_THREADS.invokeExact(threads);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("set threads", status);
  }

  public static int threads() {
    try {
      return (int) THREADS.invokeExact();
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static void loadBlas(Path path) {
    int status;
    try (Arena arena = Arena.ofConfined()) {
      status = (int) BLAS_LOAD.invokeExact(arena.allocateFrom(path.toString()));
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("load BLAS", status);
  }

  public static String blasConfig() {
    return text(BLAS_CONFIG);
  }

  public static String blasCore() {
    return text(BLAS_CORE);
  }

  private static String text(MethodHandle function) {
    try {
      return Abi.text((long) function.invokeExact());
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  /**
   * Opens a device.
   *
   * @param kind {@link #CPU} or {@link #CUDA}
   * @param ordinal 0 for the CPU, the driver's number of the GPU
   * @param name for messages: {@code cpu}, {@code cuda}
   */
  public static long open(int kind, int ordinal, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment device = arena.allocate(LONG);
      int status = (int) OPEN.invokeExact(kind, ordinal, device);
      Abi.check("open device " + name, status);
      return device.get(LONG, 0);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  /** Closes it; nothing is closed while allocations of it are alive. */
  public static void close(long device, String name) {
    int status;
    try {
      status = (int) CLOSE.invokeExact(device);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("close device " + name, status);
  }

  public static int alloc(long device, long bytes, long out) {
    try {
      return (int) ALLOC.invokeExact(device, bytes, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int free(long device, long pointer) {
    try {
      return (int) FREE.invokeExact(device, pointer);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int upload(long device, long stream, MemorySegment host, long target, long bytes) {
    try {
      return (int) UPLOAD.invokeExact(device, stream, host, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int download(
      long device, long stream, long source, MemorySegment host, long bytes) {
    try {
      return (int) DOWNLOAD.invokeExact(device, stream, source, host, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int copy(long device, long stream, long source, long target, long bytes) {
    try {
      return (int) COPY.invokeExact(device, stream, source, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int zero(long device, long stream, long target, long bytes) {
    try {
      return (int) ZERO.invokeExact(device, stream, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int synchronize(long device, long stream) {
    try {
      return (int) SYNCHRONIZE.invokeExact(device, stream);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
