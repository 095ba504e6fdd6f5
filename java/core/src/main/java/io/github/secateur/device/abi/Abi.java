package io.github.secateur.device.abi;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Loads libsecateur, once for the process, and binds its functions.
 *
 * <p>Pointers and sizes travel as {@code long}: no object is made for a call. A function that the
 * library lacks is bound to a handle that says so when it is called.
 */
@SuppressWarnings("restricted")
public final class Abi {
  /** The version of secateur.h that these classes declare. */
  public static final int VERSION = 5;

  public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Library LIBRARY = Library.load();

  /** What came of loading: symbols and path, or the reason why there are none. */
  private record Library(SymbolLookup symbols, Path path, String failure) {
    static Library load() {
      try {
        Path path = NativeLibraries.secateur();
        return new Library(NativeLibraries.open(path), path, null);
      } catch (DeviceException e) {
        return new Library(name -> Optional.empty(), null, e.getMessage());
      }
    }
  }

  private static final MethodHandle ABI_VERSION = bind("secateur_abi_version", INT);
  private static final MethodHandle LAST_ERROR = bind("secateur_last_error", LONG);

  private Abi() {}

  /**
   * Makes sure that the library is there and of this version.
   *
   * @param device the name of the device that needs it, for the sentence
   * @return its path
   */
  public static Path require(String device) {
    if (LIBRARY.failure() != null) {
      throw new DeviceException("open device " + device, Status.UNAVAILABLE, LIBRARY.failure());
    }
    int version = version();
    if (version != VERSION) {
      throw new DeviceException(
          "open device " + device,
          Status.UNAVAILABLE,
          "%s has ABI version %d, this jar needs %d; rebuild it, or drop -Dsecateur.library"
              .formatted(LIBRARY.path(), version, VERSION));
    }
    return LIBRARY.path();
  }

  private static int version() {
    try {
      return (int) ABI_VERSION.invokeExact();
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /** Binds an operation: {@code int name(device, stream, arguments...)}. */
  public static MethodHandle operation(String name, MemoryLayout... arguments) {
    MemoryLayout[] all = new MemoryLayout[arguments.length + 2];
    all[0] = LONG;
    all[1] = LONG;
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return bind(name, INT, all);
  }

  /** Binds any function. */
  public static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
    FunctionDescriptor descriptor = FunctionDescriptor.of(result, arguments);
    return LIBRARY
        .symbols()
        .find(name)
        .map(symbol -> LINKER.downcallHandle(symbol, descriptor))
        .orElseGet(() -> missing(name, descriptor.toMethodType()));
  }

  /** A handle of the wanted type that throws, each time it is called. */
  private static MethodHandle missing(String name, MethodType type) {
    Supplier<DeviceException> exception =
        () ->
            new DeviceException(
                name,
                Status.UNAVAILABLE,
                LIBRARY.failure() != null
                    ? LIBRARY.failure()
                    : "%s lacks this function; rebuild it, or drop -Dsecateur.library"
                        .formatted(LIBRARY.path()));
    try {
      MethodHandle make =
          MethodHandles.publicLookup()
              .findVirtual(Supplier.class, "get", MethodType.methodType(Object.class))
              .bindTo(exception)
              .asType(MethodType.methodType(DeviceException.class));
      MethodHandle thrower =
          MethodHandles.foldArguments(
              MethodHandles.throwException(type.returnType(), DeviceException.class), make);
      return MethodHandles.dropArguments(thrower, 0, type.parameterList());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** The C string at an address, "" for NULL. */
  public static String text(long address) {
    return address == 0 ? "" : view(address, Long.MAX_VALUE).getString(0);
  }

  /** Memory of the device as a segment. */
  public static MemorySegment view(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Turns a status other than OK into an exception with the library's own sentence. */
  public static void check(String operation, int status) {
    if (status != 0) {
      throw failure(operation, status);
    }
  }

  private static RuntimeException failure(String operation, int status) {
    String sentence;
    try {
      sentence = text((long) LAST_ERROR.invokeExact());
    } catch (Throwable t) {
      throw rethrow(t);
    }
    return switch (status) {
      case 1 -> new IllegalArgumentException(operation + ": " + sentence);
      case 2 -> new DeviceException(operation, Status.OUT_OF_MEMORY, sentence);
      case 3 -> new DeviceException(operation, Status.NAN_SCORE, sentence);
      case 4 -> new DeviceException(operation, Status.UNAVAILABLE, sentence);
      case 5 -> new DeviceException(operation, Status.DEVICE_LOST, sentence);
      default -> new DeviceException(operation, Status.INTERNAL, sentence);
    };
  }

  /** For the catch of an {@code invokeExact}: nothing checked is ever thrown there. */
  public static RuntimeException rethrow(Throwable t) {
    if (t instanceof RuntimeException e) {
      throw e;
    }
    if (t instanceof Error e) {
      throw e;
    }
    throw new AssertionError(t);
  }
}
