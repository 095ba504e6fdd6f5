package io.github.secateur.cuda.device;

import io.github.secateur.cuda.CudaLibraries;
import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps;
import io.github.secateur.device.DeviceInfo;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.ImageOps;
import io.github.secateur.device.NnOps;
import io.github.secateur.device.PeakRates;
import io.github.secateur.device.PruneOps;
import io.github.secateur.device.SparseOps;
import io.github.secateur.device.abi.Abi;
import io.github.secateur.device.abi.AbiDevice;
import io.github.secateur.device.abi.NativeBuffer;
import io.github.secateur.device.abi.NativeDevice;
import io.github.secateur.device.abi.NativeNn;
import io.github.secateur.device.abi.NativePrune;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The CUDA device: one GPU, one stream, everything enqueued in order. Nothing waits but {@link
 * #synchronize}, {@link #download} and the operations that return a result to the host.
 */
final class CudaDevice implements NativeDevice {
  /** The driver's number of the GPU; which GPU that is, CUDA_VISIBLE_DEVICES decides. */
  static final int ORDINAL = 0;

  private static final String NAME = "cuda";

  private final Arena arena = Arena.ofShared();
  private final DeviceInfo info;
  private final long handle;
  private final Context context;
  private final Memory memory;
  private final Staging staging;
  private final MemorySegment sizes = arena.allocate(64, 64);
  private final Scratch workspace = new Scratch();
  private final Scratch exchange = new Scratch();
  private final CudaDense dense;
  private final CudaSparse sparse;
  private final NativePrune prune;
  private final NativeNn nn;
  private final CudaImages images;
  private final List<CudaReplay> replays = new ArrayList<>();
  private boolean recording;
  private long liveBuffers;
  private long liveBytes;
  private boolean closed;

  /** Opens the device, its context, stream and libraries. */
  static CudaDevice open(DeviceInfo info, DeviceOptions options, CudaLibraries libraries) {
    long handle = AbiDevice.open(AbiDevice.CUDA, ORDINAL, NAME);
    Cleanup undo = new Cleanup();
    undo.add(() -> AbiDevice.close(handle, NAME));
    try {
      Context context = new Context(libraries, ORDINAL);
      undo.add(context::close);
      return new CudaDevice(info, options, handle, context, undo);
    } catch (RuntimeException e) {
      undo.run();
      throw e;
    }
  }

  /** What to undo, in reverse, when opening fails half-way. */
  static final class Cleanup {
    private final List<Runnable> steps = new ArrayList<>();

    void add(Runnable step) {
      steps.add(step);
    }

    void run() {
      steps.reversed().forEach(Runnable::run);
    }
  }

  private CudaDevice(
      DeviceInfo info, DeviceOptions options, long handle, Context context, Cleanup undo) {
    this.info = info;
    this.handle = handle;
    this.context = context;
    this.memory = new Memory(context);
    undo.add(memory::close);
    this.staging = new Staging(context);
    undo.add(staging::close);
    this.dense = new CudaDense(this, options.tf32(), arena);
    undo.add(dense::close);
    this.sparse = new CudaSparse(this, arena);
    this.prune = new NativePrune(this, arena);
    this.nn = new NativeNn(this, arena);
    this.images = new CudaImages(this, dense, arena);
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

  /** Memory that is not counted among the live buffers. */
  long allocateRaw(long bytes) {
    requireOpen();
    refuseWhileRecording("allocate");
    return memory.allocate(bytes);
  }

  void freeRaw(long address, long bytes) {
    memory.free(address, bytes);
  }

  /** Frees a buffer's memory; buffers call it once. */
  private void release(long address, long bytes) {
    refuseWhileRecording("close a buffer");
    memory.free(address, bytes);
    liveBuffers--;
    liveBytes -= bytes;
  }

  @Override
  public void upload(MemorySegment source, Buffer target, long targetOffset) {
    long address = range("upload", target, targetOffset, source.byteSize());
    refuseWhileRecording("upload");
    staging.upload(source, address);
  }

  @Override
  public void download(Buffer source, long sourceOffset, MemorySegment target) {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("download: the target segment is read-only");
    }
    long address = range("download", source, sourceOffset, target.byteSize());
    refuseWhileRecording("download");
    staging.download(address, target);
  }

  @Override
  public void copy(Buffer source, long sourceOffset, Buffer target, long targetOffset, long bytes) {
    long from = range("copy", source, sourceOffset, bytes);
    long to = range("copy", target, targetOffset, bytes);
    Abi.check("copy", AbiDevice.copy(handle(), stream(), from, to, bytes));
  }

  @Override
  public void zero(Buffer target, long offset, long bytes) {
    long address = range("zero", target, offset, bytes);
    Abi.check("zero", AbiDevice.zero(handle(), stream(), address, bytes));
  }

  @Override
  public void synchronize() {
    requireOpen();
    refuseWhileRecording("synchronize");
    context.synchronize("synchronize");
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
  public Replay replay(Runnable work) {
    CudaReplay replay = new CudaReplay(this, work);
    replays.add(replay);
    return replay;
  }

  void forget(CudaReplay replay) {
    replays.remove(replay);
  }

  /** Between the start and the end of a capture: what cannot be part of a graph is refused. */
  void setRecording(boolean now) {
    recording = now;
  }

  boolean isRecording() {
    return recording;
  }

  void refuseWhileRecording(String operation) {
    if (recording) {
      throw new IllegalStateException(
          operation
              + ": not while work is recorded for replay; do it before, and let what changes live"
              + " in device buffers");
    }
  }

  @Override
  public PeakRates measurePeak() {
    return CudaPeak.measure(this);
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
          "device cuda still has %d live buffers of %d bytes together; close them first"
              .formatted(liveBuffers, liveBytes));
    }
    closed = true;
    waitUnlessLost(); // a fault that nobody has seen yet is found here
    List.copyOf(replays).forEach(CudaReplay::close);
    sparse.close();
    dense.close();
    workspace.close();
    exchange.close();
    waitUnlessLost();
    staging.close();
    memory.close();
    context.close();
    try {
      AbiDevice.close(handle, NAME);
    } catch (RuntimeException e) {
      if (!context.isLost()) {
        throw e;
      }
    }
    arena.close();
  }

  /** What the stream still does uses memory that is about to go; errors of it have been told. */
  private void waitUnlessLost() {
    if (!context.isLost()) {
      try {
        context.synchronize("close device cuda");
      } catch (RuntimeException e) {
        if (!context.isLost()) {
          throw e;
        }
      }
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("device cuda is closed; open it again with Devices.open");
    }
  }

  Context context() {
    return context;
  }

  @Override
  public long handle() {
    requireOpen();
    return handle;
  }

  @Override
  public long stream() {
    return context.streamAddress();
  }

  @Override
  public MemorySegment sizes() {
    return sizes;
  }

  @Override
  public long workspace(long bytes) {
    return workspace.reserve(bytes);
  }

  @Override
  public long exchange(long bytes) {
    return exchange.reserve(bytes);
  }

  @Override
  public void toExchange(MemorySegment source) {
    refuseWhileRecording("upload");
    staging.upload(source, exchange.address);
  }

  @Override
  public void fromExchange(long offset, MemorySegment target) {
    refuseWhileRecording("an operation that returns a result to the host");
    staging.download(exchange.address + offset, target);
  }

  /**
   * Device memory that is kept and grown. A graph may hold the address of an outgrown block, so
   * while there are replays such blocks are kept too; growth is by half at least, so they stay few.
   */
  private final class Scratch {
    private final List<long[]> outgrown = new ArrayList<>();
    private long address;
    private long bytes;

    long reserve(long wanted) {
      if (address == 0 || wanted > bytes) {
        long size = Math.max(Math.max(wanted, 1024), bytes + bytes / 2);
        long grown = allocateRaw(size);
        if (address != 0) {
          outgrown.add(new long[] {address, bytes});
        }
        address = grown;
        bytes = size;
        if (replays.isEmpty()) {
          freeOutgrown();
        }
      }
      return address;
    }

    private void freeOutgrown() {
      outgrown.forEach(block -> freeRaw(block[0], block[1]));
      outgrown.clear();
    }

    void close() {
      freeOutgrown();
      if (address != 0) {
        freeRaw(address, bytes);
        address = 0;
      }
    }
  }

  @Override
  public long range(String operation, Buffer buffer, long offset, long bytes) {
    requireOpen();
    return NativeDevice.super.range(operation, buffer, offset, bytes);
  }
}
