package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.INT;
import static io.github.secateur.device.host.Abi.LONG;

import java.lang.invoke.MethodHandle;

/** Sparse products of secateur.h, one to one. Each returns a status. */
final class AbiSparse {
  private static final MethodHandle SPARSE_PACK =
      Abi.operation("secateur_sparse_pack", LONG, LONG, INT, LONG, LONG, LONG, LONG);
  private static final MethodHandle SPMM =
      Abi.operation("secateur_spmm", LONG, LONG, LONG, LONG, LONG, LONG, LONG);
  // Not an operation: it takes no stream.
  private static final MethodHandle SPARSE_INFO =
      Abi.bind("secateur_sparse_info", INT, LONG, LONG, LONG, LONG, LONG);

  private AbiSparse() {}

  static int pack(
      long device,
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
              device, Abi.DEFAULT_STREAM, out, in, transposed, w, mask, packed, packedBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int spmm(
      long device,
      long batch,
      long packed,
      long x,
      long bias,
      long y,
      long workspace,
      long workspaceBytes) {
    try {
      return (int)
          SPMM.invokeExact(
              device, Abi.DEFAULT_STREAM, batch, packed, x, bias, y, workspace, workspaceBytes);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }

  static int info(long device, long packed, long out, long in, long nonzeros) {
    try {
      return (int) SPARSE_INFO.invokeExact(device, packed, out, in, nonzeros);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
