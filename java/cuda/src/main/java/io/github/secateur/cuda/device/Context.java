package io.github.secateur.cuda.device;

import io.github.secateur.cuda.CudaLibraries;
import io.github.secateur.cuda.Driver;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceException.Status;
import java.util.Set;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUmemoryPool;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * The primary context of a GPU, shared with whatever else in the process uses it, one stream of our
 * own in it, and the checks of every status. After a fault that the context does not survive, each
 * call throws DEVICE_LOST.
 */
final class Context {
  /** Statuses after which every later call on a context fails the same way. */
  private static final Set<Integer> TERMINAL =
      Set.of(4, 46, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 999);

  private static final int OUT_OF_MEMORY = 2;

  private final CudaLibraries libraries;
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final Stream stream = new Stream();
  private String lost;

  /** A stream that tells its address. */
  private static final class Stream extends CUstream {
    long address() {
      return getNativePointer();
    }
  }

  /** A memory pool that tells its address. */
  static final class Pool extends CUmemoryPool {
    long address() {
      return getNativePointer();
    }
  }

  /** Retains the primary context of a GPU and makes a stream in it. */
  Context(CudaLibraries libraries, int ordinal) {
    this.libraries = libraries;
    check("initialise the driver", JCudaDriver.cuInit(0));
    check("open device cuda", JCudaDriver.cuDeviceGet(device, ordinal));
    check("retain the context", JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    try {
      enter();
      check(
          "create a stream",
          JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    } catch (RuntimeException e) {
      JCudaDriver.cuDevicePrimaryCtxRelease(device);
      throw e;
    }
  }

  CUdevice device() {
    return device;
  }

  /** The stream that everything is enqueued on. */
  CUstream stream() {
    return stream;
  }

  /** Its address, for the C ABI. */
  long streamAddress() {
    return stream.address();
  }

  Driver driver() {
    return libraries.driver();
  }

  /** The libraries that are open. */
  CudaLibraries libraries() {
    return libraries;
  }

  /** Makes the context current on this thread, before calls of JCuda; throws when it is lost. */
  void enter() {
    if (lost != null) {
      throw new DeviceException("cuda", Status.DEVICE_LOST, lost);
    }
    check("make the context current", JCudaDriver.cuCtxSetCurrent(context));
  }

  boolean isLost() {
    return lost != null;
  }

  /** Turns a status of the driver into an exception that names the operation. */
  void check(String operation, int status) {
    if (status != 0) {
      throw failure(operation, status);
    }
  }

  DeviceException failure(String operation, int status) {
    String name = driver().name(status);
    if (TERMINAL.contains(status)) {
      lost =
          "the device was lost (%s during %s); close it, and go on from the last checkpoint"
              .formatted(name, operation);
      return new DeviceException(operation, Status.DEVICE_LOST, lost);
    }
    return new DeviceException(
        operation,
        status == OUT_OF_MEMORY ? Status.OUT_OF_MEMORY : Status.INTERNAL,
        "the driver answered " + name);
  }

  /** Gives something back; on a lost device that is the driver's own business. */
  void release(String operation, IntSupplier call) {
    try {
      if (!isLost()) {
        enter();
        check(operation, call.getAsInt());
      }
    } catch (DeviceException e) {
      if (!isLost()) {
        throw e;
      }
    }
  }

  /** Waits for the stream. */
  void synchronize(String operation) {
    enter();
    check(operation, JCudaDriver.cuStreamSynchronize(stream));
  }

  /** A raw device address as JCuda takes it. */
  static CUdeviceptr at(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /** A raw host address as JCuda takes it. */
  static Pointer host(long address) {
    return new Pointer().withByteOffset(address);
  }

  /** Releases stream and context; a lost device is released as far as the driver allows. */
  void close() {
    JCudaDriver.cuCtxSetCurrent(context);
    int destroyed = JCudaDriver.cuStreamDestroy(stream);
    int released = JCudaDriver.cuDevicePrimaryCtxRelease(device);
    if (lost == null) {
      check("destroy the stream", destroyed);
      check("release the context", released);
    }
  }
}
