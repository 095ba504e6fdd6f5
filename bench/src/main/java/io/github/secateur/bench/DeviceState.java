package io.github.secateur.bench;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceMask;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Mask;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A CPU device for a JMH benchmark, and what was put on it, released when the trial ends. Each
 * operation has finished when its call returns, so benchmarks need not wait.
 */
@State(Scope.Benchmark)
public abstract class DeviceState {
  /** Threads of the device. */
  @Param({"1", "2"})
  public int threads;

  private final Deque<Runnable> releases = new ArrayDeque<>();
  private Device device;

  /** Opens the device, then fills it. */
  @Setup(Level.Trial)
  public void open() {
    device = Devices.open("cpu", new DeviceOptions(threads));
    releases.push(device::close);
    fill();
  }

  /** Releases everything, the last first. */
  @TearDown(Level.Trial)
  public void release() {
    while (!releases.isEmpty()) {
      releases.pop().run();
    }
  }

  /** Makes what the benchmark works on. */
  abstract void fill();

  final Device device() {
    return device;
  }

  final DeviceTensor own(Tensor t) {
    DeviceTensor d = device.toDevice(t);
    later(d.buffer()::close);
    return d;
  }

  final DeviceTensor empty(long... dims) {
    return own(Tensor.zeros(DType.F32, Shape.of(dims)));
  }

  final DeviceMask own(Mask m) {
    DeviceMask d = device.toDevice(m);
    later(d::close);
    return d;
  }

  /** To be done when the trial ends. */
  final void later(Runnable release) {
    releases.push(release);
  }
}
