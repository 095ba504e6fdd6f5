package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;
import java.lang.ref.Cleaner;

/** A block of GPU memory. It is freed by {@link #close} alone; losing it is reported. */
final class CudaBuffer implements Buffer {
  private static final System.Logger LOG = System.getLogger(CudaBuffer.class.getName());
  private static final Cleaner CLEANER = Cleaner.create();

  private final CudaDevice device;
  private final long address;
  private final LeakReport report;
  private final Cleaner.Cleanable cleanable;

  CudaBuffer(CudaDevice device, long address, long bytes) {
    this.device = device;
    this.address = address;
    this.report = new LeakReport(bytes);
    this.cleanable = CLEANER.register(this, report);
  }

  /** Says, when the garbage collector finds the buffer lost, that nobody closed it. */
  private static final class LeakReport implements Runnable {
    private final long bytes;
    private volatile boolean closed;

    LeakReport(long bytes) {
      this.bytes = bytes;
    }

    @Override
    public void run() {
      if (!closed) {
        LOG.log(
            System.Logger.Level.WARNING,
            "a buffer of {0} bytes on device cuda was lost without being closed; its memory stays"
                + " taken until the process ends",
            Long.toString(bytes));
      }
    }
  }

  @Override
  public long address() {
    if (report.closed) {
      throw new IllegalStateException(
          "the buffer of "
              + report.bytes
              + " bytes on device cuda is closed; use it before closing");
    }
    return address;
  }

  @Override
  public long byteSize() {
    return report.bytes;
  }

  CudaDevice device() {
    return device;
  }

  @Override
  public void close() {
    if (!report.closed) {
      device.release(address, report.bytes);
      report.closed = true;
      cleanable.clean();
    }
  }

  @Override
  public String toString() {
    return report.bytes + " bytes on device cuda" + (report.closed ? ", closed" : "");
  }
}
