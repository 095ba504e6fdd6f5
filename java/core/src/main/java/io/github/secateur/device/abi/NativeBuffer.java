package io.github.secateur.device.host;

import io.github.secateur.device.Buffer;
import java.lang.ref.Cleaner;

/**
 * A block of the CPU device's memory. It is freed by {@link #close} alone; losing it is reported.
 */
final class HostBuffer implements Buffer {
  private static final System.Logger LOG = System.getLogger(HostBuffer.class.getName());
  private static final Cleaner CLEANER = Cleaner.create();

  private final HostDevice device;
  private final long address;
  private final LeakReport report;
  private final Cleaner.Cleanable cleanable;

  HostBuffer(HostDevice device, long address, long bytes) {
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
            "a buffer of {0} bytes on device cpu was lost without being closed; its memory stays"
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
              + " bytes on device cpu is closed; use it before closing");
    }
    return address;
  }

  @Override
  public long byteSize() {
    return report.bytes;
  }

  HostDevice device() {
    return device;
  }

  @Override
  public void close() {
    if (!report.closed) {
      report.closed = true;
      cleanable.clean();
      device.release(address, report.bytes);
    }
  }

  @Override
  public String toString() {
    return report.bytes + " bytes on device cpu" + (report.closed ? ", closed" : "");
  }
}
