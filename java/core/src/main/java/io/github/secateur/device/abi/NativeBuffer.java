package io.github.secateur.device.abi;

import io.github.secateur.device.Buffer;
import java.lang.ref.Cleaner;

/** A block of a device's memory. It is freed by {@link #close} alone; losing it is reported. */
public final class NativeBuffer implements Buffer {
  private static final System.Logger LOG = System.getLogger(NativeBuffer.class.getName());
  private static final Cleaner CLEANER = Cleaner.create();

  private final NativeDevice device;
  private final long address;
  private final Runnable release;
  private final LeakReport report;
  private final Cleaner.Cleanable cleanable;

  /**
   * @param release frees the memory, once; must not hold this buffer
   */
  public NativeBuffer(NativeDevice device, long address, long bytes, Runnable release) {
    this.device = device;
    this.address = address;
    this.release = release;
    this.report = new LeakReport(device.info().name(), bytes);
    this.cleanable = CLEANER.register(this, report);
  }

  /** Says, when the garbage collector finds the buffer lost, that nobody closed it. */
  private static final class LeakReport implements Runnable {
    private final String device;
    private final long bytes;
    private volatile boolean closed;

    LeakReport(String device, long bytes) {
      this.device = device;
      this.bytes = bytes;
    }

    String words() {
      return bytes + " bytes on device " + device;
    }

    @Override
    public void run() {
      if (!closed) {
        LOG.log(
            System.Logger.Level.WARNING,
            "a buffer of {0} bytes on device {1} was lost without being closed; its memory stays"
                + " taken until the process ends",
            Long.toString(bytes),
            device);
      }
    }
  }

  @Override
  public long address() {
    if (report.closed) {
      throw new IllegalStateException(
          "the buffer of " + report.words() + " is closed; use it before closing");
    }
    return address;
  }

  @Override
  public long byteSize() {
    return report.bytes;
  }

  NativeDevice device() {
    return device;
  }

  @Override
  public void close() {
    if (!report.closed) {
      release.run();
      report.closed = true;
      cleanable.clean();
    }
  }

  @Override
  public String toString() {
    return report.words() + (report.closed ? ", closed" : "");
  }
}
