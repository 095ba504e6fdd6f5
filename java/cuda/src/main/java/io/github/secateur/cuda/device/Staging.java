package io.github.secateur.cuda.device;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/**
 * Pinned host memory between the program's and the device's.
 *
 * <p>Uploads are copied into a ring and enqueued from there, so the caller's memory is free when
 * upload returns, and nothing waits. The ring has parts; an event is recorded when one is full, and
 * waited for when its turn comes again. Downloads go through a buffer of their own, with one
 * synchronization each (one for every {@link #DOWNLOAD_MOST} bytes).
 */
final class Staging {
  private static final int PARTS = 8;
  private static final long PART = 2L << 20;
  private static final long ALIGNMENT = 256;
  private static final long DOWNLOAD_LEAST = 1L << 20;
  private static final long DOWNLOAD_MOST = 64L << 20;

  private final Context context;
  private final Pinned ring;
  private final CUevent[] passed = new CUevent[PARTS];
  private final boolean[] recorded = new boolean[PARTS];
  private Pinned incoming;
  private int part;
  private long used; // bytes of the current part

  Staging(Context context) {
    this.context = context;
    this.ring = new Pinned(context, PARTS * PART);
    for (int i = 0; i < PARTS; i++) {
      passed[i] = new CUevent();
      context.check(
          "create an event",
          JCudaDriver.cuEventCreate(passed[i], CUevent_flags.CU_EVENT_DISABLE_TIMING));
    }
  }

  /** Page-locked host memory. */
  private static final class Pinned {
    private final Pointer pointer = new Pointer();
    private final MemorySegment memory;

    Pinned(Context context, long bytes) {
      context.enter();
      context.check("allocate pinned memory", JCudaDriver.cuMemAllocHost(pointer, bytes));
      memory = MemorySegment.ofBuffer(pointer.getByteBuffer(0, bytes));
    }

    void close() {
      JCudaDriver.cuMemFreeHost(pointer);
    }
  }

  /** Enqueues a copy of host memory to a device address. */
  void upload(MemorySegment source, long target) {
    context.enter();
    long done = 0;
    while (done < source.byteSize()) {
      if (used == PART) {
        nextPart();
      }
      long bytes = Math.min(source.byteSize() - done, PART - used);
      MemorySegment slot = ring.memory.asSlice(part * PART + used, bytes);
      slot.copyFrom(source.asSlice(done, bytes));
      context.check(
          "upload",
          JCudaDriver.cuMemcpyHtoDAsync(
              Context.at(target + done), Context.host(slot.address()), bytes, context.stream()));
      used = Math.min(PART, (used + bytes + ALIGNMENT - 1) & -ALIGNMENT);
      done += bytes;
    }
  }

  private void nextPart() {
    context.check("upload", JCudaDriver.cuEventRecord(passed[part], context.stream()));
    recorded[part] = true;
    part = (part + 1) % PARTS;
    if (recorded[part]) {
      context.check("upload", JCudaDriver.cuEventSynchronize(passed[part]));
    }
    used = 0;
  }

  /** Copies from a device address until {@code target} is full, after all that is enqueued. */
  void download(long source, MemorySegment target) {
    long done = 0;
    while (done < target.byteSize()) {
      long bytes = Math.min(target.byteSize() - done, DOWNLOAD_MOST);
      MemorySegment slot = incoming(bytes).asSlice(0, bytes);
      context.enter();
      context.check(
          "download",
          JCudaDriver.cuMemcpyDtoHAsync(
              Context.host(slot.address()), Context.at(source + done), bytes, context.stream()));
      context.synchronize("download");
      target.asSlice(done, bytes).copyFrom(slot);
      done += bytes;
    }
  }

  private MemorySegment incoming(long bytes) {
    if (incoming == null || incoming.memory.byteSize() < bytes) {
      if (incoming != null) {
        incoming.close(); // nothing is under way in it: each download waits
        incoming = null;
      }
      long size = Math.max(DOWNLOAD_LEAST, Long.highestOneBit(bytes));
      incoming = new Pinned(context, size < bytes ? 2 * size : size);
    }
    return incoming.memory;
  }

  /** Frees it; the stream must have passed. */
  void close() {
    for (CUevent event : passed) {
      JCudaDriver.cuEventDestroy(event);
    }
    ring.close();
    if (incoming != null) {
      incoming.close();
    }
  }
}
