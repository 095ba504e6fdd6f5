package io.github.secateur.device.abi;

import static io.github.secateur.device.abi.Abi.LONG;

import java.lang.invoke.MethodHandle;

/** Dense products of secateur.h, one to one. Each returns a status. */
public final class AbiDense {
  private static final MethodHandle GEMM = Abi.operation("secateur_gemm", LONG, LONG, LONG, LONG);

  private AbiDense() {}

  public static int gemm(long device, long stream, long args, long a, long b, long c) {
    try {
      return (int) GEMM.invokeExact(device, stream, args, a, b, c);
    } catch (Throwable t) {
      throw Abi.rethrow(t);
    }
  }
}
