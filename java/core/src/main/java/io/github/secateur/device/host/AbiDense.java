package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.LONG;

import java.lang.invoke.MethodHandle;

/** Dense products of secateur.h, one to one. Each returns a status. */
final class AbiDense {
  private static final MethodHandle GEMM = Abi.operation("secateur_gemm", LONG, LONG, LONG, LONG);

  private AbiDense() {}

  static int gemm(long device, long args, long a, long b, long c) {
    try {
      return (int) GEMM.invokeExact(device, Abi.DEFAULT_STREAM, args, a, b, c);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
