package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.INT;
import static io.github.secateur.device.host.Abi.LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The process-wide settings, the device and its memory in secateur.h. */
final class AbiDevice {
  private static final int CPU = 0;

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

  static String isa() {
    return text(CPU_ISA);
  }

  static void setThreads(int threads) {
    int status;
    try {
      status = (int) SET_THREADS.invokeExact(threads);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("set threads", status);
  }

  static int threads() {
    try {
      return (int) THREADS.invokeExact();
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static void loadBlas(Path path) {
    int status;
    try (Arena arena = Arena.ofConfined()) {
      status = (int) BLAS_LOAD.invokeExact(arena.allocateFrom(path.toString()));
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("load BLAS", status);
  }

  static String blasConfig() {
    return text(BLAS_CONFIG);
  }

  static String blasCore() {
    return text(BLAS_CORE);
  }

  private static String text(MethodHandle function) {
    try {
      return Abi.text((long) function.invokeExact());
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static long open() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment device = arena.allocate(LONG);
      int status = (int) OPEN.invokeExact(CPU, 0, device);
      Abi.check("open device cpu", status);
      return device.get(LONG, 0);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static void close(long device) {
    int status;
    try {
      status = (int) CLOSE.invokeExact(device);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
    Abi.check("close device cpu", status);
  }

  static int alloc(long device, long bytes, long out) {
    try {
      return (int) ALLOC.invokeExact(device, bytes, out);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int free(long device, long pointer) {
    try {
      return (int) FREE.invokeExact(device, pointer);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int upload(long device, MemorySegment host, long target, long bytes) {
    try {
      return (int) UPLOAD.invokeExact(device, Abi.DEFAULT_STREAM, host, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int download(long device, long source, MemorySegment host, long bytes) {
    try {
      return (int) DOWNLOAD.invokeExact(device, Abi.DEFAULT_STREAM, source, host, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int copy(long device, long source, long target, long bytes) {
    try {
      return (int) COPY.invokeExact(device, Abi.DEFAULT_STREAM, source, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int zero(long device, long target, long bytes) {
    try {
      return (int) ZERO.invokeExact(device, Abi.DEFAULT_STREAM, target, bytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int synchronize(long device) {
    try {
      return (int) SYNCHRONIZE.invokeExact(device, Abi.DEFAULT_STREAM);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
