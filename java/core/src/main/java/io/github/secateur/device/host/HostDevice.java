package io.github.secateur.device.host;

import static io.github.secateur.device.abi.Abi.LONG;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PeakRates;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiDevice;
import io.github.secateur.device.abi.AbiSparse;
import io.github.secateur.device.abi.NativeBuffer;
import io.github.secateur.device.abi.NativeDevice;
import io.github.secateur.device.abi.NativeNn;
import io.github.secateur.device.abi.NativePrune;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The CPU device. Every operation has finished when its call returns. Threads are a setting of the
 * process: the device opened last decides their number.
 */
final class HostDevice implements NativeDevice {
  private static final long PEAK_BYTES = 256L << 20;
  private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE;

  private final Arena arena = Arena.ofShared();
  private final DeviceInfo info;
  private final long handle;

  /** Where functions write a pointer or a size: never kept between two calls. */
  private final MemorySegment sizes = arena.allocate(64, 64);

  private MemorySegment exchange = arena.allocate(1024, 64);

  private final HostDense dense;
  private final HostSparse sparse;
  private final NativePrune prune;
  private final NativeNn nn;
  private final HostImages images;

  private long workspace;
  private long workspaceBytes;
  private long liveBuffers;
  private long liveBytes;
  private boolean closed;

  HostDevice(long handle, DeviceInfo info, Blas blas) {
    this.handle = handle;
    this.info = info;
    this.dense = new HostDense(this, blas, arena);
    this.sparse = new HostSparse(this, arena);
    this.prune = new NativePrune(this, arena);
    this.nn = new NativeNn(this, arena);
    this.images = new HostImages(this, arena);
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "cannot allocate " + bytes + " bytes; the size is negative");
    }
    long address = allocateRaw(bytes);
    liveBuffers++;
    liveBytes += bytes;
    return new NativeBuffer(this, address, bytes, () -> release(address, bytes));
  }

  private long allocateRaw(long bytes) {
    Abi.check("allocate", AbiDevice.alloc(handle(), bytes, sizes.address()));
    return sizes.get(LONG, 0);
  }

  /** Frees a buffer's memory; buffers call it once. */
  private void release(long address, long bytes) {
    Abi.check("free", AbiDevice.free(handle(), address));
    liveBuffers--;
    liveBytes -= bytes;
  }

  @Override
  public void upload(MemorySegment source, Buffer target, long targetOffset) {
    long bytes = source.byteSize();
    long address = range("upload", target, targetOffset, bytes);
    if (source.isNative()) {
      Abi.check("upload", AbiDevice.upload(handle(), stream(), source, address, bytes));
    } else {
      Abi.view(address, bytes).copyFrom(source);
    }
  }

  @Override
  public void download(Buffer source, long sourceOffset, MemorySegment target) {
    long bytes = target.byteSize();
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("download: the target segment is read-only");
    }
    long address = range("download", source, sourceOffset, bytes);
    if (target.isNative()) {
      Abi.check("download", AbiDevice.download(handle(), stream(), address, target, bytes));
    } else {
      target.copyFrom(Abi.view(address, bytes));
    }
  }

  @Override
  public void copy(Buffer source, long sourceOffset, Buffer target, long targetOffset, long bytes) {
    long from = range("copy", source, sourceOffset, bytes);
    long to = range("copy", target, targetOffset, bytes);
    Abi.check("copy", AbiDevice.copy(handle(), stream(), from, to, bytes));
  }

  @Override
  public void zero(Buffer target, long offset, long bytes) {
    Abi.check(
        "zero", AbiDevice.zero(handle(), stream(), range("zero", target, offset, bytes), bytes));
  }

  @Override
  public void synchronize() {
    Abi.check("synchronize", AbiDevice.synchronize(handle(), stream()));
  }

  @Override
  public DenseOps dense() {
    return dense;
  }

  @Override
  public SparseOps sparse() {
    return sparse;
  }

  @Override
  public PruneOps prune() {
    return prune;
  }

  @Override
  public NnOps nn() {
    return nn;
  }

  @Override
  public ImageOps images() {
    return images;
  }

  @Override
  public PeakRates measurePeak() {
    try (Buffer memory = allocate(PEAK_BYTES)) {
      zero(memory, 0, PEAK_BYTES);
      long rates = sizes.address();
      Abi.check(
          "measure peak", AbiSparse.peak(handle(), rates, rates + 8, memory.address(), PEAK_BYTES));
      return new PeakRates(sizes.get(DOUBLE, 0), sizes.get(DOUBLE, 8));
    }
  }

  @Override
  public long liveBuffers() {
    return liveBuffers;
  }

  @Override
  public long liveBytes() {
    return liveBytes;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (liveBuffers != 0) {
      throw new IllegalStateException(
          "device cpu still has %d live buffers of %d bytes together; close them first"
              .formatted(liveBuffers, liveBytes));
    }
    freeWorkspace();
    AbiDevice.close(handle, "cpu");
    closed = true;
    arena.close();
  }

  @Override
  public long handle() {
    if (closed) {
      throw new IllegalStateException("device cpu is closed; open it again with Devices.open");
    }
    return handle;
  }

  @Override
  public long stream() {
    return 0;
  }

  @Override
  public MemorySegment sizes() {
    return sizes;
  }

  @Override
  public long exchange(long bytes) {
    if (bytes > exchange.byteSize()) {
      exchange = arena.allocate(Math.max(bytes, 2 * exchange.byteSize()), 64);
    }
    return exchange.address();
  }

  @Override
  public void toExchange(MemorySegment source) {
    exchange.copyFrom(source);
  }

  @Override
  public void fromExchange(long offset, MemorySegment target) {
    target.copyFrom(exchange.asSlice(offset, target.byteSize()));
  }

  @Override
  public long workspace(long bytes) {
    if (bytes > workspaceBytes || workspace == 0) {
      freeWorkspace();
      workspace = allocateRaw(bytes);
      workspaceBytes = bytes;
    }
    return workspace;
  }

  private void freeWorkspace() {
    if (workspace != 0) {
      Abi.check("free", AbiDevice.free(handle(), workspace));
      workspace = 0;
      workspaceBytes = 0;
    }
  }
}
