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
    Shapes.rank("gemm: A", a.shape(), 2);
    Shapes.rank("gemm: B", b.shape(), 2);
    Shapes.rank("gemm: C", c.shape(), 2);
    long m = a.shape().dim(gemm.transposeA() ? 1 : 0);
    long k = a.shape().dim(gemm.transposeA() ? 0 : 1);
    long n = b.shape().dim(gemm.transposeB() ? 0 : 1);
    long kb = b.shape().dim(gemm.transposeB() ? 1 : 0);
    if (k != kb || c.shape().dim(0) != m || c.shape().dim(1) != n) {
      throw new IllegalArgumentException(
          "gemm: A %s%s times B %s%s does not give C %s; the inner dimensions must agree and C be [%d, %d]"
              .formatted(
                  a.shape(),
                  gemm.transposeA() ? " transposed" : "",
                  b.shape(),
                  gemm.transposeB() ? " transposed" : "",
                  c.shape(),
                  m,
                  n));
    }
    blas.require("gemm");
    args.set(INT, 0, gemm.transposeA() ? 1 : 0);
    args.set(INT, 4, gemm.transposeB() ? 1 : 0);
    args.set(LONG, 8, m);
    args.set(LONG, 16, n);
    args.set(LONG, 24, k);
    args.set(FLOAT, 32, gemm.alpha());
    args.set(FLOAT, 36, gemm.beta());
    args.set(LONG, 40, Math.max(1, a.shape().dim(1)));
    args.set(LONG, 48, Math.max(1, b.shape().dim(1)));
    args.set(LONG, 56, Math.max(1, n));
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
