package io.github.secateur.cuda.device;

import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmemAllocationType;
import jcuda.driver.CUmemLocation;
import jcuda.driver.CUmemLocationType;
import jcuda.driver.CUmemPoolProps;
import jcuda.driver.JCudaDriver;

/**
 * Device memory in the order of the stream, from a pool of our own that keeps what is freed: an
 * allocation then costs no system call and waits for nothing. Where the driver has no pools (some
 * virtual machines), plain allocations.
 */
final class Memory {
  private static final String ALLOCATE = "allocate";
  private static final int OUT_OF_MEMORY = 2;

  private final Context context;
  private final Context.Pool pool; // null: plain allocations
  private long bytes;

  Memory(Context context) {
    this.context = context;
    this.pool = hasPools() ? createPool() : null;
  }

  private boolean hasPools() {
    int[] value = new int[1];
    context.check(
        "ask for memory pools",
        JCudaDriver.cuDeviceGetAttribute(
            value,
            CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED,
            context.device()));
    return value[0] != 0;
  }

  private Context.Pool createPool() {
    Context.Pool created = new Context.Pool();
    CUmemPoolProps properties =
        new CUmemPoolProps(
            CUmemAllocationType.CU_MEM_ALLOCATION_TYPE_PINNED,
            0,
            new CUmemLocation(CUmemLocationType.CU_MEM_LOCATION_TYPE_DEVICE, CudaDevice.ORDINAL),
            null);
    context.check("create a memory pool", JCudaDriver.cuMemPoolCreate(created, properties));
    // Keep everything: this process is the pool's only user, and trim() gives back on demand.
    context.check(
        "set up the memory pool",
        context.driver().setReleaseThreshold(created.address(), Long.MAX_VALUE));
    return created;
  }

  /** Address of at least {@code size} bytes; never 0. */
  long allocate(long size) {
    context.enter();
    CUdeviceptr pointer = new CUdeviceptr();
    long asked = Math.max(1, size);
    int status = tryAllocate(pointer, asked);
    if (status == OUT_OF_MEMORY) {
      trim();
      status = tryAllocate(pointer, asked);
    }
    if (status == OUT_OF_MEMORY) {
      throw exhausted(asked);
    }
    context.check(ALLOCATE, status);
    bytes += size;
    return address(pointer);
  }

  private int tryAllocate(CUdeviceptr pointer, long size) {
    return pool == null
        ? JCudaDriver.cuMemAlloc(pointer, size)
        : JCudaDriver.cuMemAllocFromPoolAsync(pointer, size, pool, context.stream());
  }

  /** Gives what is kept but not used back to the driver; waits for the stream. */
  private void trim() {
    context.synchronize("free unused memory");
    if (pool != null) {
      context.check("free unused memory", JCudaDriver.cuMemPoolTrimTo(pool, 0));
    }
  }

  private DeviceException exhausted(long asked) {
    long[] free = new long[1];
    long[] total = new long[1];
    JCudaDriver.cuMemGetInfo(free, total);
    return new DeviceException(
        ALLOCATE,
        Status.OUT_OF_MEMORY,
        "%s were asked for, this device object holds %s, and %s of the GPU's %s are free; use a smaller batch or model, or end what else runs on the GPU"
            .formatted(
                mebibytes(asked), mebibytes(bytes), mebibytes(free[0]), mebibytes(total[0])));
  }

  private static String mebibytes(long bytes) {
    return "%.1f MiB".formatted(bytes / (double) (1 << 20));
  }

  /** Frees an allocation once the stream has passed; on a lost device it only forgets it. */
  void free(long address, long size) {
    bytes -= size;
    CUdeviceptr pointer = Context.at(address);
    if (pool != null) {
      context.release("free", () -> JCudaDriver.cuMemFreeAsync(pointer, context.stream()));
      return;
    }
    // Unlike cuMemFreeAsync, cuMemFree has no place in the stream's order.
    context.release("free", () -> JCudaDriver.cuStreamSynchronize(context.stream()));
    context.release("free", () -> JCudaDriver.cuMemFree(pointer));
  }

  private static long address(CUdeviceptr pointer) {
    return new Address(pointer).value();
  }

  /** A device pointer that tells its address. */
  private static final class Address extends CUdeviceptr {
    Address(CUdeviceptr pointer) {
      super(pointer);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }

  /** Destroys the pool. */
  void close() {
    if (pool != null) {
      int status = JCudaDriver.cuMemPoolDestroy(pool);
      if (!context.isLost()) {
        context.check("destroy the memory pool", status);
      }
    }
  }
}
