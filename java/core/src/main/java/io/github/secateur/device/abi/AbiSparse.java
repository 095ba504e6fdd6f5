package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.invoke.MethodHandle;

/** Sparse layouts and products of secateur.h, one to one. Each returns a status. */
public final class AbiSparse {
  private static final MethodHandle COMPRESS_OFFSETS =
      Abi.operation("secateur_compress_offsets", LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle COMPRESS_FILL =
      Abi.operation("secateur_compress_fill", LONG, LONG, LONG, LONG, INT, LONG, LONG);
  private static final MethodHandle COMPRESS_SCATTER =
      Abi.operation("secateur_compress_scatter", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SPARSE_PACK =
      Abi.operation("secateur_sparse_pack", LONG, LONG, LONG, LONG);
  private static final MethodHandle SPARSE_REFRESH =
      Abi.operation("secateur_sparse_refresh", LONG, LONG);
  private static final MethodHandle SPMM =
      Abi.operation("secateur_spmm", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SDDMM =
      Abi.operation("secateur_sddmm", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SPARSE_CONV_PACK =
      Abi.operation("secateur_sparse_conv_pack", LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle SPARSE_CONVOLVE =
      Abi.operation("secateur_sparse_convolve", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  // Not operations: they take no stream.
  private static final MethodHandle SPARSE_INFO =
      Abi.bind("secateur_sparse_info", INT, LONG, LONG, LONG, LONG, LONG);
  private static final MethodHandle CPU_PEAK =
      Abi.bind("secateur_cpu_peak", INT, LONG, LONG, LONG, LONG, LONG);

  private AbiSparse() {}

  public static int compressOffsets(
      long device,
      long stream,
      long matrix,
      long w,
      long mask,
      long offsets,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          COMPRESS_OFFSETS.invokeExact(
              device, stream, matrix, w, mask, offsets, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int compressFill(
      long device,
      long stream,
      long matrix,
      long w,
      long mask,
      long offsets,
      int columnsGiven,
      long columns,
      long values) {
    try {
      return (int)
          COMPRESS_FILL.invokeExact(
              device, stream, matrix, w, mask, offsets, columnsGiven, columns, values);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int compressScatter(
      long device, long stream, long matrix, long offsets, long columns, long values, long w) {
    try {
      return (int)
          COMPRESS_SCATTER.invokeExact(device, stream, matrix, offsets, columns, values, w);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  /** {@code format} and {@code weight} are addresses of the structures of their names. */
  public static int pack(
      long device, long stream, long format, long weight, long packed, long packedBytes) {
    try {
      return (int) SPARSE_PACK.invokeExact(device, stream, format, weight, packed, packedBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int refresh(long device, long stream, long w, long packed) {
    try {
      return (int) SPARSE_REFRESH.invokeExact(device, stream, w, packed);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int spmm(
      long device,
      long stream,
      long batch,
      long packed,
      long x,
      long epilogue,
      long y,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SPMM.invokeExact(
              device, stream, batch, packed, x, epilogue, y, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int sddmm(
      long device,
      long stream,
      long batch,
      long packed,
      long x,
      long dy,
      long gradient,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SDDMM.invokeExact(
              device, stream, batch, packed, x, dy, gradient, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int info(long device, long packed, long out, long in, long stored) {
    try {
      return (int) SPARSE_INFO.invokeExact(device, packed, out, in, stored);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int peak(
      long device, long flops, long readBandwidth, long workspace, long workspaceBytes) {
    try {
      return (int) CPU_PEAK.invokeExact(device, flops, readBandwidth, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  /** {@code conv} is the address of a secateur_conv. */
  public static int packFilters(
      long device, long stream, long conv, long w, long mask, long packed, long packedBytes) {
    try {
      return (int) SPARSE_CONV_PACK.invokeExact(device, stream, conv, w, mask, packed, packedBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int convolve(
      long device,
      long stream,
      long batch,
      long packed,
      long x,
      long epilogue,
      long y,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SPARSE_CONVOLVE.invokeExact(
              device, stream, batch, packed, x, epilogue, y, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
