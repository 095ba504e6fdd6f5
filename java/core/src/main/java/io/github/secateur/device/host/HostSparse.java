package io.github.secateur.device.host;

import static io.github.secateur.device.host.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.SparseOps;

/** Sparse products from the CPU device's packed layout. */
final class HostSparse implements SparseOps {
  private final HostDevice device;

  HostSparse(HostDevice device) {
    this.device = device;
  }

  private record Packed(Buffer buffer, long out, long in, long nonzeros) implements PackedWeight {
    @Override
    public long byteSize() {
      return buffer.byteSize();
    }

    @Override
    public String layout() {
      return "panel-csr";
    }

    @Override
    public void close() {
      buffer.close();
    }
  }

  @Override
  public PackedWeight pack(DeviceTensor weight, boolean transposed, DeviceMask mask) {
    Shapes.rank("sparse pack", weight.shape(), 2);
    Shapes.covers("sparse pack", mask, weight);
    long out = weight.shape().dim(transposed ? 1 : 0);
    long in = weight.shape().dim(transposed ? 0 : 1);
    long w = device.f32("sparse pack", weight);
    long words = device.mask("sparse pack", mask);
    int order = transposed ? 1 : 0;
    long size = device.results().address();
    long handle = device.handle();
    Abi.check("sparse pack", AbiSparse.pack(handle, out, in, order, w, words, 0, size));
    long bytes = device.results().get(LONG, 0);
    Buffer buffer = device.allocate(bytes);
    try {
      device.results().set(LONG, 0, bytes);
      Abi.check(
          "sparse pack", AbiSparse.pack(handle, out, in, order, w, words, buffer.address(), size));
      Abi.check("sparse info", AbiSparse.info(handle, buffer.address(), size, size + 8, size + 16));
      return new Packed(buffer, out, in, device.results().get(LONG, 16));
    } catch (RuntimeException e) {
      buffer.close();
      throw e;
    }
  }

  @Override
  public void matmul(
      PackedWeight weight, DeviceTensor x, DeviceTensor bias, DeviceTensor y, Buffer workspace) {
    Packed packed = packed(weight);
    Shapes.rank("sparse matmul: x", x.shape(), 2);
    Shapes.rank("sparse matmul: y", y.shape(), 2);
    long batch = x.shape().dim(0);
    if (x.shape().dim(1) != packed.in()
        || y.shape().dim(0) != batch
        || y.shape().dim(1) != packed.out()) {
      throw new IllegalArgumentException(
          "sparse matmul: x %s by W [%d, %d] transposed does not give y %s; it must be [%d, %d]"
              .formatted(x.shape(), packed.out(), packed.in(), y.shape(), batch, packed.out()));
    }
    if (bias != null) {
      Shapes.vector("sparse matmul: bias", bias, packed.out(), "output");
    }
    device.results().set(LONG, 0, workspace.byteSize());
    Abi.check(
        "sparse matmul",
        AbiSparse.spmm(
            device.handle(),
            batch,
            device.address("sparse matmul", packed.buffer()),
            device.f32("sparse matmul", x),
            bias == null ? 0 : device.f32("sparse matmul", bias),
            device.f32("sparse matmul", y),
            device.address("sparse matmul", workspace),
            device.results().address()));
  }

  @Override
  public long workspaceBytes(PackedWeight weight, long batch) {
    if (batch < 0) {
      throw new IllegalArgumentException("sparse matmul: a batch of " + batch + " is negative");
    }
    long buffer = device.address("sparse matmul", packed(weight).buffer());
    Abi.check(
        "sparse matmul",
        AbiSparse.spmm(device.handle(), batch, buffer, 0, 0, 0, 0, device.results().address()));
    return device.results().get(LONG, 0);
  }

  private static Packed packed(PackedWeight weight) {
    if (weight instanceof Packed packed) {
      return packed;
    }
    throw new IllegalArgumentException(
        "sparse matmul: the weight was packed by another device; pack it on this one");
  }
}
