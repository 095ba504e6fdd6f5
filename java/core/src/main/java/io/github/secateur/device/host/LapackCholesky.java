package io.github.secateur.device.host;

import io.github.secateur.device.Cholesky;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Optional;

/**
 * Cholesky by dpotrf and dpotri of the library behind dense products, which OpenBLAS has of its
 * own, on one thread. LAPACK counts columns first, so its upper triangle is the lower one of a
 * row-major matrix. Found by {@link java.util.ServiceLoader}; a library without LAPACK, or none,
 * leaves the plain loops, and one sentence in the log.
 */
@SuppressWarnings("restricted")
public final class LapackCholesky implements Cholesky {
  private static final System.Logger LOG = System.getLogger(LapackCholesky.class.getName());
  private static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE;

  /** void f(char* uplo, int* n, double* a, int* lda, int* info, the length of uplo). */
  private static final FunctionDescriptor SIGNATURE =
      FunctionDescriptor.ofVoid(
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          Abi.LONG);

  private final MethodHandle factor; // null when there is no LAPACK
  private final MethodHandle invert;

  /** For the service loader. */
  public LapackCholesky() {
    Blas blas = Blas.get(); // sets OpenBLAS to one thread
    SymbolLookup symbols =
        blas.path() == null ? name -> Optional.empty() : NativeLibraries.open(blas.path());
    Optional<MemorySegment> dpotrf = symbols.find("dpotrf_");
    Optional<MemorySegment> dpotri = symbols.find("dpotri_");
    boolean both = dpotrf.isPresent() && dpotri.isPresent();
    Linker linker = Linker.nativeLinker();
    factor = both ? linker.downcallHandle(dpotrf.get(), SIGNATURE) : null;
    invert = both ? linker.downcallHandle(dpotri.get(), SIGNATURE) : null;
    if (!both) {
      LOG.log(
          System.Logger.Level.WARNING,
          "matrices are factored by plain Java loops, as {0}; with OpenBLAS it is faster",
          blas.path() == null ? blas.failure() : blas.path() + " has no LAPACK");
    }
  }

  /** Whether LAPACK is there. */
  boolean isNative() {
    return factor != null;
  }

  @Override
  public boolean factor(double[] a, int n) {
    if (factor == null) {
      return PLAIN.factor(a, n);
    }
    boolean definite = call(factor, a, n) == 0;
    for (int i = 0; definite && i < n; i++) {
      Arrays.fill(a, i * n + i + 1, i * n + n, 0);
    }
    return definite;
  }

  @Override
  public void invert(double[] l, int n) {
    if (invert == null) {
      PLAIN.invert(l, n);
      return;
    }
    long info = call(invert, l, n);
    if (info != 0) {
      throw new IllegalArgumentException(
          "the matrix to invert has a zero at %d of its diagonal; factor it first".formatted(info));
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        l[j * n + i] = l[i * n + j];
      }
    }
  }

  /** Integers lie in eight bytes each, so that their width in the library does not matter. */
  private static long call(MethodHandle function, double[] a, int n) {
    if (n == 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment matrix = arena.allocate((long) n * n * Double.BYTES, 64);
      MemorySegment.copy(a, 0, matrix, F64, 0, n * n);
      MemorySegment upper = arena.allocateFrom("U");
      MemorySegment order = arena.allocateFrom(Abi.LONG, n);
      MemorySegment info = arena.allocateFrom(Abi.LONG, 0);
      function.invokeExact(upper, order, matrix, order, info, 1L);
      MemorySegment.copy(matrix, F64, 0, a, 0, n * n);
      return info.get(Abi.INT, 0);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
