package io.github.secateur.bench;

import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * Intel oneMKL: its inspector-executor sparse product (CSR, hinted and optimized, as its manual
 * advises) and its dense one. On processors of other makers it takes slower code paths.
 */
final class MklPeer {
  private static final int NON_TRANSPOSE = 10; // SPARSE_OPERATION_NON_TRANSPOSE
  private static final int GENERAL = 20; // SPARSE_MATRIX_TYPE_GENERAL
  private static final int LOWER = 40; // not looked at for general matrices
  private static final int NON_UNIT = 50; // likewise
  private static final int SPARSE_ROW_MAJOR = 101; // SPARSE_LAYOUT_ROW_MAJOR
  private static final int ROW_MAJOR = 101; // CblasRowMajor
  private static final int NO_TRANS = 111;
  private static final int TRANS = 112;
  private static final int EXPECTED_CALLS = 1000;
  private static final int SPIN_MILLIS = 220; // KMP_BLOCKTIME is 200 by default

  private static final MemoryLayout DESCRIPTION =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT); // struct matrix_descr

  private final NativeJar mkl;
  private final MethodHandle create;
  private final MethodHandle mmHint;
  private final MethodHandle mvHint;
  private final MethodHandle optimize;
  private final MethodHandle mm;
  private final MethodHandle mv;
  private final MethodHandle destroy;
  private final MethodHandle sgemm;
  private int threads = 1;

  /** Loads it. */
  MklPeer(Path cache) throws IOException {
    mkl = new NativeJar(cache, "org/bytedeco/mkl/linux-x86_64", "libmkl_rt.so.2", "libiomp5.so");
    create =
        mkl.status(
            "mkl_sparse_s_create_csr",
            MemorySegment.class,
            int.class,
            int.class,
            int.class,
            MemorySegment.class,
            MemorySegment.class,
            MemorySegment.class,
            MemorySegment.class);
    mmHint =
        mkl.handle(
            "mkl_sparse_set_mm_hint",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT,
                DESCRIPTION,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
    mvHint =
        mkl.handle(
            "mkl_sparse_set_mv_hint",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT,
                DESCRIPTION,
                ValueLayout.JAVA_INT));
    optimize = mkl.status("mkl_sparse_optimize", MemorySegment.class);
    mm =
        mkl.handle(
            "mkl_sparse_s_mm",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.ADDRESS,
                DESCRIPTION,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    mv =
        mkl.handle(
            "mkl_sparse_s_mv",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.ADDRESS,
                DESCRIPTION,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_FLOAT,
                ValueLayout.ADDRESS));
    destroy = mkl.status("mkl_sparse_destroy", MemorySegment.class);
    sgemm =
        mkl.nothing(
            "cblas_sgemm",
            int.class,
            int.class,
            int.class,
            int.class,
            int.class,
            int.class,
            float.class,
            MemorySegment.class,
            int.class,
            MemorySegment.class,
            int.class,
            float.class,
            MemorySegment.class,
            int.class);
  }

  /** Its version. */
  String version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(256);
      mkl.nothing("MKL_Get_Version_String", MemorySegment.class, int.class).invoke(text, 255);
      return text.getString(0, StandardCharsets.US_ASCII).strip();
    } catch (Throwable e) {
      throw new IllegalStateException("MKL does not say its version", e);
    }
  }

  void setThreads(int count) {
    try {
      mkl.nothing("MKL_Set_Num_Threads", int.class).invoke(count);
    } catch (Throwable e) {
      throw new IllegalStateException("MKL_Set_Num_Threads failed", e);
    }
    threads = count;
  }

  private int spinMillis() {
    return threads == 1 ? 0 : SPIN_MILLIS;
  }

  /** y = W x for W [out, in] as CSR, x [in, columns] and y [out, columns], both row-major. */
  Contestant sparse(Tensor weight, Tensor x, Tensor y) {
    Arena arena = Arena.ofAuto();
    MemorySegment description = arena.allocate(DESCRIPTION);
    description.set(ValueLayout.JAVA_INT, 0, GENERAL);
    description.set(ValueLayout.JAVA_INT, 4, LOWER);
    description.set(ValueLayout.JAVA_INT, 8, NON_UNIT);
    Csr matrix = csr(arena, weight);
    int columns = (int) x.shape().dim(1);
    if (columns == 1) {
      NativeJar.check(
          "set_mv_hint", mvHint, matrix.handle, NON_TRANSPOSE, description, EXPECTED_CALLS);
    } else {
      NativeJar.check(
          "set_mm_hint",
          mmHint,
          matrix.handle,
          NON_TRANSPOSE,
          description,
          SPARSE_ROW_MAJOR,
          columns,
          EXPECTED_CALLS);
    }
    NativeJar.check("mkl_sparse_optimize", optimize, matrix.handle);
    Runnable work =
        columns == 1
            ? () -> multiplyVector(matrix, description, x.data(), y.data())
            : () -> multiply(matrix, description, x.data(), y.data(), columns);
    return new Owned(
        Contestant.of("mkl csr", spinMillis(), work),
        () -> NativeJar.check("mkl_sparse_destroy", destroy, matrix.handle));
  }

  private void multiply(
      Csr matrix, MemorySegment description, MemorySegment x, MemorySegment y, int columns) {
    int status;
    try {
      status =
          (int)
              mm.invokeExact(
                  NON_TRANSPOSE,
                  1f,
                  matrix.handle,
                  description,
                  SPARSE_ROW_MAJOR,
                  x,
                  columns,
                  columns,
                  0f,
                  y,
                  columns);
    } catch (Throwable e) {
      throw new IllegalStateException("mkl_sparse_s_mm could not be called", e);
    }
    if (status != 0) {
      throw new IllegalStateException("mkl_sparse_s_mm answered status " + status);
    }
  }

  private void multiplyVector(
      Csr matrix, MemorySegment description, MemorySegment x, MemorySegment y) {
    int status;
    try {
      status = (int) mv.invokeExact(NON_TRANSPOSE, 1f, matrix.handle, description, x, 0f, y);
    } catch (Throwable e) {
      throw new IllegalStateException("mkl_sparse_s_mv could not be called", e);
    }
    if (status != 0) {
      throw new IllegalStateException("mkl_sparse_s_mv answered status " + status);
    }
  }

  /** A handle of MKL's, and the arrays that it points into. */
  private record Csr(MemorySegment handle, List<MemorySegment> arrays) {}

  private Csr csr(Arena arena, Tensor weight) {
    int rows = (int) weight.shape().dim(0);
    int cols = (int) weight.shape().dim(1);
    long nonzeros = 0;
    for (long i = 0; i < weight.size(); i++) {
      nonzeros += weight.getFloat(i) != 0 ? 1 : 0;
    }
    MemorySegment offsets = arena.allocate(4L * (rows + 1), 64);
    MemorySegment indices = arena.allocate(4 * Math.max(1, nonzeros), 64);
    MemorySegment values = arena.allocate(4 * Math.max(1, nonzeros), 64);
    int at = 0;
    for (int row = 0; row < rows; row++) {
      offsets.setAtIndex(ValueLayout.JAVA_INT, row, at);
      for (int col = 0; col < cols; col++) {
        float value = weight.getFloat((long) row * cols + col);
        if (value != 0) {
          indices.setAtIndex(ValueLayout.JAVA_INT, at, col);
          values.setAtIndex(ValueLayout.JAVA_FLOAT, at++, value);
        }
      }
    }
    offsets.setAtIndex(ValueLayout.JAVA_INT, rows, at);
    MemorySegment holder = arena.allocate(ValueLayout.ADDRESS);
    NativeJar.check(
        "mkl_sparse_s_create_csr",
        create,
        holder,
        0,
        rows,
        cols,
        offsets,
        offsets.asSlice(4),
        indices,
        values);
    return new Csr(NativeJar.pointed(holder), List.of(offsets, indices, values));
  }

  /** y = x Wᵀ for x [batch, in], W [out, in], y [batch, out]. */
  Contestant dense(Tensor weight, Tensor x, Tensor y) {
    int out = (int) weight.shape().dim(0);
    int in = (int) weight.shape().dim(1);
    int batch = (int) x.shape().dim(0);
    if (!y.shape().equals(Shape.of(batch, out))) {
      throw new IllegalArgumentException("y " + y.shape() + " does not fit");
    }
    return Contestant.of(
        "mkl dense",
        spinMillis(),
        () -> {
          try {
            sgemm.invokeExact(
                ROW_MAJOR,
                NO_TRANS,
                TRANS,
                batch,
                out,
                in,
                1f,
                x.data(),
                in,
                weight.data(),
                in,
                0f,
                y.data(),
                out);
          } catch (Throwable e) {
            throw new IllegalStateException("cblas_sgemm of MKL could not be called", e);
          }
        });
  }
}
