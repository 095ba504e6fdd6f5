package io.github.secateur.device.host;

import static io.github.secateur.device.abi.Abi.FLOAT;
import static io.github.secateur.device.abi.Abi.INT;
import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiDense;
import io.github.secateur.device.abi.Shapes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Dense products by OpenBLAS. */
final class HostDense implements DenseOps {
  private final HostDevice device;
  private final Blas blas;
  private final MemorySegment args; // secateur_gemm_args

  HostDense(HostDevice device, Blas blas, Arena arena) {
    this.device = device;
    this.blas = blas;
    this.args = arena.allocate(64, 64);
  }

  @Override
  public void gemm(Gemm gemm, DeviceTensor a, DeviceTensor b, DeviceTensor c) {
    Shapes.Product product = Shapes.product(gemm, a, b, c);
    blas.require("gemm");
    args.set(INT, 0, gemm.transposeA() ? 1 : 0);
    args.set(INT, 4, gemm.transposeB() ? 1 : 0);
    args.set(LONG, 8, product.m());
    args.set(LONG, 16, product.n());
    args.set(LONG, 24, product.k());
    args.set(FLOAT, 32, gemm.alpha());
    args.set(FLOAT, 36, gemm.beta());
    args.set(LONG, 40, Math.max(1, a.shape().dim(1)));
    args.set(LONG, 48, Math.max(1, b.shape().dim(1)));
    args.set(LONG, 56, Math.max(1, product.n()));
    Abi.check(
        "gemm",
        AbiDense.gemm(
            device.handle(),
            device.stream(),
            args.address(),
            device.f32("gemm", a),
            device.f32("gemm", b),
            device.f32("gemm", c)));
  }
}
