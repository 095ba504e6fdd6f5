package io.github.secateur.cuda.device;

import io.github.secateur.device.Buffer;
import io.github.secateur.device.DenseOps.Gemm;
import io.github.secateur.device.Device;
import io.github.secateur.device.DeviceException;
import io.github.secateur.device.DeviceTensor;
import io.github.secateur.device.PeakRates;
import io.github.secateur.tensor.DType;
import io.github.secateur.tensor.Shape;

/**
 * What a GPU can do: the rate of a large product by cuBLAS, and that of a copy within the device.
 */
final class CudaPeak {
  private static final int SIZE = 4096;
  private static final long BYTES = 256L << 20;
  private static final int ROUNDS = 10;

  private CudaPeak() {}

  static PeakRates measure(Device device) {
    if (device.info().simulated()) {
      throw new DeviceException(
          "measure peak",
          DeviceException.Status.UNAVAILABLE,
          "times taken on a simulated device say nothing; measure on a real one");
    }
    return new PeakRates(productRate(device), copyRate(device));
  }

  private static double productRate(Device device) {
    try (DeviceTensor a = zeros(device);
        DeviceTensor b = zeros(device);
        DeviceTensor c = zeros(device)) {
      Gemm gemm = Gemm.of(false, false);
      return 2.0
          * SIZE
          * SIZE
          * SIZE
          / bestSeconds(device, () -> device.dense().gemm(gemm, a, b, c));
    }
  }

  private static DeviceTensor zeros(Device device) {
    DeviceTensor t = device.empty(DType.F32, Shape.of(SIZE, SIZE));
    device.zero(t.buffer(), 0, t.buffer().byteSize());
    return t;
  }

  /** A copy reads and writes each byte; memory serves both alike. */
  private static double copyRate(Device device) {
    try (Buffer a = device.allocate(BYTES);
        Buffer b = device.allocate(BYTES)) {
      return 2.0 * BYTES / bestSeconds(device, () -> device.copy(a, 0, b, 0, BYTES));
    }
  }

  private static double bestSeconds(Device device, Runnable work) {
    double best = Double.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      device.synchronize();
      long begin = System.nanoTime();
      work.run();
      device.synchronize();
      best = Math.min(best, Math.max(1, System.nanoTime() - begin) * 1e-9);
    }
    return best;
  }
}
