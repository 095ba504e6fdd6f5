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
      Abi.operation("secateur_sparse_pack", LONG, LONG, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SPMM =
      Abi.operation("secateur_spmm", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  // Not an operation: it takes no stream.
  private static final MethodHandle SPARSE_INFO =
      Abi.bind("secateur_sparse_info", INT, LONG, LONG, LONG, LONG, LONG);

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

  public static int pack(
      long device,
      long stream,
      long out,
      long in,
      int transposed,
      long w,
      long mask,
      long packed,
      long packedBytes) {
    try {
      return (int)
          SPARSE_PACK.invokeExact(
              device, stream, out, in, transposed, w, mask, packed, packedBytes);
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
      long bias,
      long y,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SPMM.invokeExact(device, stream, batch, packed, x, bias, y, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  public static int info(long device, long packed, long out, long in, long nonzeros) {
    try {
      return (int) SPARSE_INFO.invokeExact(device, packed, out, in, nonzeros);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
