package io.github.secateur.device;

import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A place that holds buffers and computes on them. Operations are enqueued in order; {@link
 * #synchronize} waits for all of them (on the CPU device each has finished when its call returns).
 * A device and its buffers are used by one thread at a time.
 */
public interface Device extends AutoCloseable {
  /** What it is, for logs and reports. */
  DeviceInfo info();

  /** Device memory, 128-byte aligned, contents undefined. */
  Buffer allocate(long bytes);

  /** Copies all of {@code source} into {@code target} from {@code targetOffset} bytes on. */
  void upload(MemorySegment source, Buffer target, long targetOffset);

  /** Copies bytes from {@code sourceOffset} on until {@code target} is full, and waits for it. */
  void download(Buffer source, long sourceOffset, MemorySegment target);

  /** Copies {@code bytes} between two buffers or two disjoint ranges of one. */
  void copy(Buffer source, long sourceOffset, Buffer target, long targetOffset, long bytes);

  /** Sets bytes to zero. */
  void zero(Buffer target, long offset, long bytes);

  /** Waits for all enqueued operations; errors of theirs are thrown here. */
  void synchronize();

  /** Dense products. */
  DenseOps dense();

  /** Sparse products. */
  SparseOps sparse();

  /** Scores, thresholds, masks. */
  PruneOps prune();

  /** Elementwise operations, reductions, losses, random numbers, optimizer steps. */
  NnOps nn();

  /** Convolution, pooling, batch normalization. */
  ImageOps images();

  /** Work that can be run again at little cost; whoever asked for it closes it. */
  interface Replay extends AutoCloseable {
    /** Enqueues the work once. */
    void run();

    @Override
    void close();
  }

  /**
   * Makes work repeatable at the cost of one launch where the device can: the first {@link
   * Replay#run} runs it as it is, the second records it, later ones replay the record.
   *
   * <p>The work must enqueue the same operations on the same buffers each time and may not
   * allocate, upload, download or wait: whatever changes between runs lives in device buffers. Its
   * buffers stay open until the replay is closed. Here, the work runs each time.
   */
  default Replay replay(Runnable work) {
    return new Replay() {
      @Override
      public void run() {
        work.run();
      }

      @Override
      public void close() {}
    };
  }

  /**
   * Measures what this device can do at most, in well under a second.
   *
   * @throws DeviceException UNAVAILABLE on a simulated device
   */
  PeakRates measurePeak();

  /** Number of buffers allocated and not yet closed. */
  long liveBuffers();

  /** Bytes of the live buffers. */
  long liveBytes();

  /**
   * Closes the device.
   *
   * @throws IllegalStateException naming their number when buffers are still alive
   */
  @Override
  void close();

  /** A new tensor on this device, contents undefined; whoever calls owns its buffer. */
  default DeviceTensor empty(DType dtype, Shape shape) {
    return new DeviceTensor(allocate(shape.size() * dtype.byteSize()), 0, dtype, shape);
  }

  /** A copy of a host tensor on this device; whoever calls owns its buffer. */
  default DeviceTensor toDevice(Tensor tensor) {
    DeviceTensor t = empty(tensor.dtype(), tensor.shape());
    upload(tensor.data(), t.buffer(), 0);
    return t;
  }

  /** A copy of a device tensor in host memory. */
  default Tensor toHost(DeviceTensor tensor) {
    Tensor t = Tensor.zeros(tensor.dtype(), tensor.shape());
    download(tensor.buffer(), tensor.byteOffset(), t.data());
    return t;
  }

  /** Overwrites a device tensor with a host tensor of the same type and shape. */
  default void upload(Tensor source, DeviceTensor target) {
    if (source.dtype() != target.dtype() || !source.shape().equals(target.shape())) {
      throw new IllegalArgumentException("cannot upload " + source + " into " + target);
    }
    upload(source.data(), target.buffer(), target.byteOffset());
  }

  /** A copy of a mask on this device; whoever calls owns it. */
  default DeviceMask toDevice(Mask mask) {
    DeviceMask m = new DeviceMask(allocate(Math.max(4, mask.words().byteSize())), mask.shape());
    upload(mask.words(), m.words(), 0);
    return m;
  }

  /** A copy of a device mask in host memory. */
  default Mask toHost(DeviceMask mask) {
    Mask m = Mask.zeros(mask.shape());
    download(mask.words(), 0, m.words());
    return m;
  }
}
