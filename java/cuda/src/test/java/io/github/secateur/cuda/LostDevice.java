package io.github.secateur.cuda;

import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceOptions;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.Devices;
import io.github.secateur.device.NnOps.Unary;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;
import io.github.secateur.tensor.Tensor;
import java.util.List;

/** Loses the device by a fault on order and prints the status of each call after it. */
final class LostDevice {
  static final int CALLS = 6;

  private LostDevice() {}

  public static void main(String[] arguments) {
    Device device = Devices.open("cuda", DeviceOptions.defaults());
    DeviceTensor x = device.toDevice(Tensor.of(Shape.of(4), 1, 2, 3, 4));
    device.synchronize();
    Simulator.fail(Integer.parseInt(arguments[0]), 1);
    List<Runnable> calls =
        List.of(
            () -> {
              device.nn().fill(3, x);
              device.synchronize(); // a fault of a kernel shows here at the latest
            },
            device::synchronize,
            () -> device.nn().unary(Unary.ABS, 0, x, x),
            () -> device.empty(DType.F32, Shape.of(4)),
            () -> device.toHost(x),
            () -> device.upload(Tensor.of(Shape.of(4), 1, 2, 3, 4), x));
    for (Runnable call : calls) {
      try {
        call.run();
        System.out.println("nothing was thrown");
      } catch (DeviceException e) {
        System.out.println(e.status() + " " + e.getMessage());
      }
    }
    x.close();
    device.close();
    System.out.println("closed");
  }
}
